"""Stage 2: the latent motion diffusion model (LEO, arXiv 2305.03989, section 3.2).

A diffusion model of motion-code sequences. With the Linear Motion Condition it continues a given first code (cLMDM);
without a condition it is the paper's ablation. Deviations from the paper, all set by configs: codes are normalized
(:mod:`leokit.motion_conditions.motion_condition`), the network predicts only the part of epsilon that the noisy sample
does not contain (:mod:`leokit.models.diffusion`), and sampling takes 50 DDIM steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Generator, Tensor

from leokit.diffusion_backbones.time_table import with_time_table
from leokit.long_video import LastCode, LongVideoStrategy
from leokit.models.code_normalizer import CodeNormalizer
from leokit.models.contracts import check_takes_mask
from leokit.models.diffusion import Diffusion, Generators, Network
from leokit.models.diffusion_model import DiffusionModel, evaluation_generators, one_dict_per_sample
from leokit.models.motion_conditioning import Given, build_conditioning
from leokit.models.motion_inpainting import inpainting_correction
from leokit.models.motion_windows import KnownCodes, sample_windows
from leokit.nn import zero_padding
from leokit.registry import DISTILLATIONS, LONG_VIDEO, MODELS, MOTION_CONDITIONS
from leokit.samplers import Correction, Denoiser, Sampler, correct, noise_source
from leokit.utils import UserError, check_shape


@MODELS.register_module()
class MotionDiffusion(DiffusionModel):
    """Diffusion over motion-code sequences.

    Args:
        motion_dim (int): Motion dimension N.
        num_frames (int): Frames T of a sequence by default, and of one window of a long sequence.
        backbone (dict, optional): Config in DIFFUSION_BACKBONES; ``UNet1D`` by default.
        noise_scheduler (dict, optional): Config in NOISE_SCHEDULERS; ``LinearNoiseScheduler`` by default.
        motion_condition (dict, optional): Config in MOTION_CONDITIONS; ``LinearMotionCondition`` by default.
        sampler (dict, optional): Config in SAMPLERS; ``DDIMSampler`` with 50 steps by default.
        prediction_type (str): Output of the network: ``'epsilon'`` (the paper), ``'x0'`` or ``'v'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the paper's unweighted error.
        epsilon_skip (bool): See :class:`Diffusion`.
        time_sampler (dict, optional): Config in TIME_SAMPLERS: the distribution of training times, uniform by default.
        coupling (str): See :class:`Diffusion`.
        long_video (dict, optional): Config in LONG_VIDEO: how :meth:`extend` joins windows; ``LastCode`` (the paper) by
            default.
        conditioning (dict, optional): Control sequences, dropout of conditions and guidance scales; the keyword
            arguments of :class:`MotionConditioning`.
        training (dict, optional): ``distillation``, a config in DISTILLATIONS that replaces the denoising loss.
        data_preprocessor (dict, optional): See :class:`DiffusionModel`.
    """

    label = 'the motion diffusion'

    def __init__(self, motion_dim: int = 20, num_frames: int = 20, *, backbone: dict | None = None,
                 noise_scheduler: dict | None = None, motion_condition: dict | None = None,
                 sampler: dict | None = None, prediction_type: str = 'epsilon', min_snr_gamma: float | None = None,
                 epsilon_skip: bool = True, time_sampler: dict | None = None, coupling: str = 'independent',
                 long_video: dict | None = None, conditioning: dict | None = None, training: dict | None = None,
                 data_preprocessor: dict | None = None) -> None:
        diffusion = Diffusion(noise_scheduler or dict(type='LinearNoiseScheduler', num_train_timesteps=1000),
                              sampler or dict(type='DDIMSampler', num_inference_steps=50),
                              prediction_type=prediction_type, min_snr_gamma=min_snr_gamma, epsilon_skip=epsilon_skip,
                              time_sampler=time_sampler, coupling=coupling)
        condition = MOTION_CONDITIONS.build(motion_condition or dict(type='LinearMotionCondition'))
        conditions = build_conditioning(condition, conditioning)
        backbone = conditions.backbone_options(backbone or dict(type='UNet1D'))
        super().__init__({**backbone, 'motion_dim': motion_dim}, diffusion=diffusion,
                         normalizer=CodeNormalizer(motion_dim, residuals=True, unit=condition.unit),
                         data_preprocessor=data_preprocessor)
        self.motion_condition = condition
        self.conditioning = conditions
        self.long_video = _build_strategy(long_video) or LastCode()
        self.num_frames = num_frames
        self._check_frames(num_frames)
        self._build_training(**(training or {}))

    def _build_training(self, distillation: dict | None = None) -> None:
        self.distillation = DISTILLATIONS.build(distillation) if distillation else None

    def compile_parts(self, **options: Any) -> None:
        super().compile_parts(**options)
        if self.distillation is not None:
            self.distillation.compile_teacher(**options)

    @property
    def _compiles_objective(self) -> bool:
        # compiled as a whole, a distillation contains the network as often as it evaluates it
        return self.distillation is None

    @property
    def fps(self) -> float | None:
        """float | None: Frame rate of the sequences of training; None if unknown."""
        return self.normalizer.fps

    @property
    def conventions(self) -> dict[str, str]:
        """Settings that the weights depend on, besides those of the diffusion; checkpoints carry them."""
        return dict(motion_condition=type(self.motion_condition).__name__)

    def _check_frames(self, num_frames: int) -> None:
        if self.motion_condition.noised_frames(num_frames) < 1:
            raise UserError(f'num_frames={num_frames} leaves nothing to generate; set it to 2 or more')

    def _network(self, start: Tensor | None) -> Network:
        """The network for normalized first codes (B, N), without control."""
        return self.conditioning.network(self.backbone, Given(start))

    def _training_tensors(self, inputs: dict[str, Tensor]) -> tuple[Tensor | None, ...]:
        motion, mask, control, noise = (inputs.get(key) for key in ('motion', 'mask', 'control', 'noise'))
        self.conditioning.check_control(control, motion.shape[1])
        if mask is not None:
            check_takes_mask(self.backbone)
            check_shape('inputs.mask', mask, tuple(motion.shape[:2]))
        return (motion,) if mask is control is noise is None else (motion, mask, control, noise)

    def _objective(self, motion: Tensor, mask: Tensor | None = None, control: Tensor | None = None,
                   noise: Tensor | None = None, *, generator: Generator | None = None) -> Tensor:
        """``|| eps - eps_theta(m_t, alpha_1, t) ||^2`` for the defaults, over the frames in the mask.

        Args:
            motion (Tensor): Raw codes, shape (B, T, N).
            mask (Tensor, optional): True in frames that count, bool, shape (B, T).
            control (Tensor, optional): Control, shape (B, T, C).
            noise (Tensor, optional): The noise that belongs to each sequence, shape (B, T', N).
            generator (Generator, optional): Source of randomness.
        """
        target, start = self.motion_condition.split(zero_padding(self.normalizer.normalize(motion), _frames(mask)))
        counted = None if mask is None else self.motion_condition.network_output(mask[..., None])[..., 0]  # (B, T')
        target, given = zero_padding(target, _frames(counted)), Given(start, control, mask)
        if self.distillation is not None:
            return self.distillation.loss(self, target, given, counted=counted, generator=generator)
        network = self.conditioning.training_network(self.backbone, given, generator)
        return self.diffusion.loss(network, target, mask=counted, eps=noise, generator=generator).mean()

    # ---- generation --------------------------------------------------------
    def denoiser(self, start: Tensor, *, control: Tensor | None = None, mask: Tensor | None = None,
                 guidance_scales: Mapping[str, float] | None = None) -> Denoiser:
        """The callable that samplers take, to wrap it or to run a sampler directly.

        Args:
            start (Tensor): Raw first codes, shape (B, N).
            control (Tensor, optional): Control, shape (B, T, C).
            mask (Tensor, optional): True in frames that count, bool, shape (B, T).
            guidance_scales (Mapping, optional): Of ``start`` and ``control``, in place of the model's; see
                :mod:`leokit.models.motion_conditioning`.

        Returns:
            Denoiser: Maps the noised variable (B, T', N) and t (B,) to a Prediction.
        """
        return self._denoiser(self.backbone, start, control, mask, guidance_scales)

    def _denoiser(self, backbone: Callable[..., Tensor], start: Tensor, control: Tensor | None, mask: Tensor | None,
                  guidance_scales: Mapping[str, float] | None) -> Denoiser:
        given = Given(self.normalizer.normalize(start), control, mask)
        return self.conditioning.guided(self.diffusion.denoiser, backbone, given, guidance_scales)

    @torch.no_grad()
    def sample(self, start: Tensor, num_frames: int | None = None, *, noise: Tensor | None = None,
               generator: Generators = None, sampler: Sampler | dict[str, Any] | None = None,
               correction: Callable[[Tensor], Tensor] | None = None, control: Tensor | None = None,
               lengths: Sequence[int] | Tensor | None = None,
               guidance_scales: Mapping[str, float] | None = None) -> Tensor:
        """Generate sequences.

        Args:
            start (Tensor): Raw first codes, shape (B, N). Without a condition on the first code only B counts.
            num_frames (int, optional): Frames T; the model's ``num_frames`` by default.
            noise (Tensor, optional): Standard normal noise, shape (B, T', N), T' = T - 1 given a first code, else T.
            generator (Generator | list[Generator], optional): Source of noise. With a list, one per sample, a sample
                does not depend on its batch.
            sampler (Sampler | dict, optional): Replaces the model's.
            correction (Callable, optional): Applied at every step to the predicted clean sequence, normalized codes
                (B, T, N): to fix frames, or to bound them.
            control (Tensor, optional): Control of each frame, shape (B, T, C).
            lengths (Sequence[int], optional): Frames of each sequence, at most T; T by default. A sequence is what it
                would be alone with the first frames of its noise, and its last code is repeated up to T.
            guidance_scales (Mapping, optional): As in :meth:`denoiser`.

        Returns:
            Tensor: Raw codes, shape (B, T, N); the first is ``start`` if the condition uses it.
        """
        check_shape('start', start, (None, None))
        frames = self.num_frames if num_frames is None else num_frames
        self._check_frames(frames)
        first = self.normalizer.normalize(start)
        shape = (start.shape[0], self.motion_condition.noised_frames(frames), self.motion_dim)
        if noise is None:
            noise = noise_source(generator)(first.new_empty(shape))
        check_shape('noise', noise, shape)
        lengths = self._checked_lengths(lengths, start.shape[0], frames, start.device)
        mask = None if lengths is None else torch.arange(frames, device=start.device) < lengths[:, None]  # (B, T)
        control = self._checked_control(control, start, frames)
        sampler = self.diffusion.chosen_sampler(sampler)

        known = correction.tensors if isinstance(correction, Correction) else ()

        def run(start: Tensor, noise: Tensor, *others: Tensor) -> tuple[Tensor]:
            data, control = others[:len(known)], (*others[len(known):], None)[0]
            first = self.normalizer.normalize(start)
            backbone = self._autocast_copy(self.backbone, start.device)
            if _launches_count(start.device):
                backbone = with_time_table(backbone, self.diffusion.scheduler.num_train_timesteps)
            denoise = self._denoiser(backbone, start, control, mask, guidance_scales)
            if correction is not None:
                corrected = replace(correction, tensors=data) if data else correction
                denoise = correct(denoise, self._of_noised(corrected, first), self.diffusion.scheduler)
            clean = self.diffusion.sample(denoise, noise, generator=generator, sampler=sampler)  # (B, T', N)
            motion = self.normalizer.denormalize(self.motion_condition.assemble(clean, first))  # (B, T, N)
            if self.motion_condition.uses_start:
                motion[:, 0] = start  # without the rounding of normalization and back
            return motion,

        inputs = (start, noise, *known, *(() if control is None else (control,)))
        unnamed = correction is not None and not known  # data that a graph would keep
        graphs = None if unnamed or lengths is not None else self.sampling_graphs(sampler)
        if graphs is None:
            motion, = run(*inputs)
        else:
            scales = self.conditioning.scales(guidance_scales)
            kind = None if correction is None else correction.kind
            motion, = graphs(run, inputs, repr((type(sampler), vars(sampler), scales, kind, control is None)))
        if lengths is not None:
            frame = torch.arange(frames, device=start.device).minimum(lengths[:, None] - 1)  # (B, T)
            motion = motion.gather(1, frame[..., None].expand_as(motion))
        return motion

    def _checked_control(self, control: Tensor | None, start: Tensor, frames: int) -> Tensor | None:
        self.conditioning.check_control(control, frames)
        if control is None:
            return None
        if len(control) != len(start):
            raise UserError(f'there are {len(control)} control sequences for {len(start)} motion sequences; give one '
                            'for each')
        if not torch.isfinite(control).all():
            raise UserError('the control holds values that are not finite; leave frames without a known value out, or '
                            'interpolate them')
        return control.to(start.device)

    def _checked_lengths(self, lengths: Sequence[int] | Tensor | None, batch: int, frames: int,
                         device: torch.device) -> Tensor | None:
        if lengths is None:
            return None
        check_takes_mask(self.backbone)
        lengths = torch.as_tensor(lengths, device=device)
        check_shape('lengths', lengths, (batch,))
        shortest = frames - self.motion_condition.noised_frames(frames) + 1
        if lengths.min() < shortest or lengths.max() > frames:
            raise UserError(f'lengths must lie between {shortest} and num_frames={frames}, got {lengths.tolist()}')
        return lengths

    def inpaint(self, known: Tensor, mask: Tensor, *, reach: int = 16, **options: Any) -> Tensor:
        """Generate sequences through given codes, such as key poses (:mod:`leokit.models.motion_inpainting`).

        Args:
            known (Tensor): Raw codes, shape (B, T, N); codes of frames that are not given are not used.
            mask (Tensor): True where a code is given, bool, shape (B, T) or (T,). A condition on the first code needs
                the first frame.
            reach (int): Frames on either side of a given one that its offset moves along.
            **options: ``generator``, ``sampler``, ``control`` and ``guidance_scales`` of :meth:`sample`.

        Returns:
            Tensor: Raw codes, shape (B, T, N); those of given frames are as given.
        """
        check_shape('known', known, (None, None, self.motion_dim))
        mask = mask.expand(known.shape[:2]) if mask.ndim == 1 and mask.shape[0] == known.shape[1] else mask
        correction = inpainting_correction(self.normalizer.normalize(known), mask, reach)
        if self.motion_condition.uses_start and not mask[:, 0].all():
            raise UserError(f'{type(self.motion_condition).__name__} needs the first code: set mask[:, 0] to True')
        motion = self.sample(known[:, 0], known.shape[1], correction=correction, **options)
        return torch.where(mask[..., None], known, motion)  # without the rounding of normalization and back

    def _of_noised(self, correction: Callable[[Tensor], Tensor], first: Tensor) -> Callable[[Tensor], Tensor]:
        """A correction of sequences (B, T, N) as one of the noised variable (B, T', N)."""
        def corrected(clean: Tensor) -> Tensor:
            sequence = correction(self.motion_condition.assemble(clean, first))
            if self.motion_condition.uses_start:  # the first code is given; its correction must not shift the others
                sequence = torch.cat([first[:, None], sequence[:, 1:]], dim=1)
            return self.motion_condition.split(sequence)[0]
        return corrected

    def extend(self, start: Tensor, total_frames: int, *, num_frames: int | None = None,
               long_video: LongVideoStrategy | dict[str, Any] | None = None, control: Tensor | None = None,
               known: KnownCodes | None = None, **options: Any) -> Iterator[Tensor]:
        """Generate sequences of any length in constant memory, window by window.

        Without a condition on the first code, ``LastCode`` leaves the windows independent of each other. With the same
        seeds a longer sequence begins with the shorter one.

        Args:
            start (Tensor): Raw first codes, shape (B, N).
            total_frames (int): Frames to generate, including ``start``.
            num_frames (int, optional): Frames of one window; the model's ``num_frames`` by default.
            long_video (LongVideoStrategy | dict, optional): Replaces the model's strategy.
            control (Tensor, optional): Control of each frame, shape (B, total_frames, C); windows get their part.
            known (KnownCodes, optional): Codes of ``total_frames`` frames to pass through, as in :meth:`inpaint`. A
                window is steered to those within it.
            **options: ``generator``, ``sampler`` and ``guidance_scales`` of :meth:`sample`.

        Returns:
            Iterator: Raw codes of consecutive frames, shape (B, t, N), ``total_frames`` in all.
        """
        frames = self.num_frames if num_frames is None else num_frames
        self._check_frames(frames)
        self.normalizer.require_statistics()
        if total_frames < 1:
            raise UserError(f'total_frames={total_frames} must be at least 1')
        strategy = _build_strategy(long_video) or self.long_video
        if self._windows_depend(strategy) and strategy.context_frames >= frames:
            raise UserError(f'{type(strategy).__name__} uses {strategy.context_frames} frames of context, which leaves '
                            f'no new frame in a window of {frames}; use less context')
        control = self._checked_control(control, start, total_frames)
        self.conditioning.scales(options.get('guidance_scales'))
        if known is not None:
            check_shape('known.codes', known.codes, (len(start), total_frames, self.motion_dim))
            shape = (len(start), total_frames)
            check_shape('known.mask', known.mask, shape if known.mask.ndim > 1 else shape[1:])
            inpainting_correction(known.codes, known.mask.expand(known.codes.shape[:2]), known.reach)  # checks it
        return sample_windows(self, start, total_frames, frames, strategy, dependent=self._windows_depend(strategy),
                              control=control, known=known, **options)

    def window_boundaries(self, total_frames: int, *, long_video: LongVideoStrategy | None = None) -> list[int]:
        """The frames in 1 … total_frames - 1 at which windows of :meth:`extend` meet.

        See :meth:`LongVideoStrategy.window_boundaries`.
        """
        strategy = long_video or self.long_video
        if not self._windows_depend(strategy):
            return list(range(self.num_frames, total_frames, self.num_frames))
        return strategy.window_boundaries(self.num_frames, total_frames)

    def _windows_depend(self, strategy: LongVideoStrategy) -> bool:
        return self.motion_condition.uses_start or strategy.context_frames > 1

    # ---- MMEngine's model contract -----------------------------------------
    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Generate a sequence from the first code of each given one, of its length and with its control.

        Args:
            inputs (dict): ``motion``, raw codes, shape (B, T, N); ``mask`` and ``control`` as in training.
            data_samples (dict, optional): With ``name`` (and ``start``), each sample has its own seed.

        Returns:
            list: Per sample ``real`` and ``generated``, raw codes (T, N) without padding, and ``name`` and ``start`` if
            known.
        """
        real, mask = inputs['motion'], inputs.get('mask')
        generators = evaluation_generators(data_samples, real.shape[0])
        lengths = None if mask is None else mask.sum(1)
        generated = self.sample(real[:, 0], real.shape[1], generator=generators, lengths=lengths,
                                control=inputs.get('control'))
        rows = one_dict_per_sample(data_samples, real=real, generated=generated)
        if lengths is not None:
            rows = [{**row, **{key: row[key][:length] for key in ('real', 'generated')}}
                    for row, length in zip(rows, lengths.tolist())]
        return rows

    def _forward(self, inputs: dict[str, Tensor]) -> Tensor:
        target, start = self.motion_condition.split(self.normalizer.normalize(inputs['motion']))  # (B, T', N), (B, N)
        t = torch.zeros(target.shape[0], dtype=torch.long, device=target.device)
        given = Given(start, inputs.get('control'), inputs.get('mask'))
        return self.conditioning.network(self.backbone, given)(target, t)


def _build_strategy(long_video: LongVideoStrategy | dict[str, Any] | None) -> LongVideoStrategy | None:
    return LONG_VIDEO.build(long_video) if isinstance(long_video, dict) else long_video


def _frames(mask: Tensor | None) -> Tensor | None:
    """A mask (B, T) as one of sequences (B, T, N)."""
    return None if mask is None else mask[..., None]


def _launches_count(device: torch.device) -> bool:
    """Whether the number of kernels decides the time of a small network, and not its arithmetic."""
    return device.type != 'cpu'
