"""The starting-frame model p(x_1 | alpha_1), a conditional DDPM (LEO, arXiv 2305.03989, section 3.3).

A diffusion model of single frames, conditioned on the frame's motion code with classifier-free guidance
(arXiv 2207.12598). A second stage of the same class can upsample the frames of the first one: its input is the
low-resolution frame next to the noisy one, with some noise added, so that it does not copy artifacts of the first stage
(cascaded diffusion with conditioning augmentation, arXiv 2106.15282, section 4).

The network predicts the velocity by default: its loss is informative from the first to the last step, and the clean
sample is never divided by the vanishing signal level at the end of the cosine schedule, so bfloat16 suffices.
"""

from typing import Any, Mapping

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Generator, Tensor

from leokit.models.code_normalizer import CodeNormalizer
from leokit.models.diffusion import Diffusion, Generators, Network
from leokit.models.diffusion_model import DiffusionModel, evaluation_generators, one_dict_per_sample
from leokit.registry import MODELS
from leokit.samplers import NoiseSource, Sampler, correct, guide, mark_condition, noise_source
from leokit.utils.batch_random import uniform_rows
from leokit.utils import UserError, check_shape

IMAGE_CHANNELS = 3
GUIDANCE = dict(weight=1.0, condition_dropout=0.1)
LOW = dict(noise=0.2)
SAMPLING_LEVEL = 0.5  # of the noise on low-resolution frames, in units of the largest in training
PREPROCESSOR = dict(type='leokit.PixelPreprocessor', channels_last=True)


@MODELS.register_module()
class StartFrameDiffusion(DiffusionModel):
    """Diffusion over frames, given their motion codes.

    Args:
        size (int): Resolution S of the frames.
        motion_dim (int): Motion dimension N.
        backbone (dict, optional): Config in DIFFUSION_BACKBONES, over images; ``UNet2D`` by default. ``cond_dim`` and
            ``extra_channels`` are passed down.
        noise_scheduler (dict, optional): Config in NOISE_SCHEDULERS; ``CosineNoiseScheduler`` by default.
        sampler (dict, optional): Config in SAMPLERS; ``DDIMSampler`` with 50 steps by default.
        prediction_type (str): Output of the network: ``'v'``, ``'epsilon'`` or ``'x0'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the unweighted error.
        guidance (dict, optional): ``weight``, the guidance scale in sampling (1, no guidance: with more, the animator
            reads another code in the frame), and ``condition_dropout``, the fraction of training samples without their
            code (0.1).
        low (dict, optional): Makes the model a super-resolution stage: ``size``, the resolution s of its input, and
            ``noise``, the largest standard deviation of the noise added to it in training (0.2; half of it in
            sampling).
        data_preprocessor (dict, optional): Config in MODELS; ``PixelPreprocessor`` by default.

    Attributes:
        guidance_scale (float): Guidance scale in sampling.
        low_size (int | None): s; None for a first stage.
    """

    def __init__(self, size: int = 64, motion_dim: int = 20, *, backbone: dict | None = None,
                 noise_scheduler: dict | None = None, sampler: dict | None = None, prediction_type: str = 'v',
                 min_snr_gamma: float | None = None, guidance: Mapping[str, float] | None = None,
                 low: Mapping[str, float] | None = None, data_preprocessor: dict | None = None) -> None:
        diffusion = Diffusion(noise_scheduler or dict(type='CosineNoiseScheduler', num_train_timesteps=1000),
                              sampler or dict(type='DDIMSampler', num_inference_steps=50),
                              prediction_type=prediction_type, min_snr_gamma=min_snr_gamma)
        # the condition is the code, whether it is present, and the noise level of the low-resolution frame
        passed_down = dict(cond_dim=motion_dim + 1 + bool(low), extra_channels=IMAGE_CHANNELS * bool(low))
        super().__init__({**(backbone or dict(type='UNet2D')), **passed_down}, diffusion=diffusion,
                         normalizer=CodeNormalizer(motion_dim), data_preprocessor=data_preprocessor or PREPROCESSOR)
        self.size = size
        self.guidance_scale, self.condition_dropout = _options('guidance', GUIDANCE, guidance)
        self.low_size, self.low_noise = _options('low', dict(size=None, **LOW), low)
        if not 0 <= self.condition_dropout < 1:
            raise UserError(f'guidance.condition_dropout={self.condition_dropout} must be at least 0 and below 1')
        if low and (not self.low_size or not 0 < self.low_size < size or self.low_noise < 0):
            raise UserError(f'low={dict(low)} needs a size between 0 and {size}, the size of the frames, and a noise '
                            'of at least 0')

    @property
    def label(self) -> str:
        return 'the super-resolution starting-frame model' if self.low_size else 'the starting-frame model'

    @property
    def conventions(self) -> dict[str, Any]:
        """Settings that the weights depend on, besides those of the diffusion; checkpoints carry them."""
        return dict(size=self.size, low_size=self.low_size)

    # ---- training ----------------------------------------------------------
    def _training_tensors(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Frames (B, 3, S, S) in [-1, 1] and raw codes (B, N)."""
        frame, motion = inputs['frame'], inputs['motion']
        if tuple(frame.shape[1:]) != (IMAGE_CHANNELS, self.size, self.size):
            raise UserError(f'the frames have shape {tuple(frame.shape[1:])}, but the model samples '
                            f'{(IMAGE_CHANNELS, self.size, self.size)}; give dataset and model the same size')
        check_shape('inputs.motion', motion, (frame.shape[0], None))
        return frame, motion

    def _objective(self, frame: Tensor, motion: Tensor, generator: Generator | None = None) -> Tensor:
        present = uniform_rows(frame, generator) >= self.condition_dropout  # (B,)
        extra, level = None, None
        if self.low_size:
            level = uniform_rows(frame, generator)
            low = self._upsample(self._downsample(frame))
            extra = self._augment_conditioning(low, level, noise_source(generator)(frame))
        network = self._network(self.normalizer.normalize(motion), present, extra=extra, level=level)
        return self.diffusion.loss(network, frame, generator=generator).mean()

    def _network(self, codes: Tensor, present: Tensor, *, extra: Tensor | None, level: Tensor | None) -> Network:
        """The network that is trained and sampled.

        Args:
            codes (Tensor): Normalized codes, shape (B, N).
            present (Tensor): Whether the network sees them, shape (B,).
            extra (Tensor, optional): Upsampled low-resolution frames, shape (B, 3, S, S).
            level (Tensor, optional): Their noise level in [0, 1], shape (B,).
        """
        cond = mark_condition(codes, present)  # (B, N + 1)
        if level is not None:
            cond = torch.cat([cond, level.to(cond.dtype)[:, None]], dim=1)  # (B, N + 2)
        return lambda x, t: self.backbone(x, t, cond, **({} if extra is None else dict(extra=extra)))

    def _downsample(self, frame: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(frame, self.low_size)

    def _upsample(self, low: Tensor) -> Tensor:
        return F.interpolate(low, (self.size, self.size), mode='bilinear', align_corners=False)

    def _augment_conditioning(self, low: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Upsampled frames (B, 3, S, S) with noise of a level (B,) in [0, 1] of the largest standard deviation."""
        return low + self.low_noise * rearrange(level, 'b -> b 1 1 1') * noise

    # ---- generation --------------------------------------------------------
    @torch.no_grad()
    def sample(self, motion: Tensor, *, noise: Tensor | None = None, generator: Generators = None,
               sampler: Sampler | dict[str, Any] | None = None, guidance_scale: float | None = None,
               low: Tensor | None = None) -> Tensor:
        """Sample frames.

        At every step the predicted clean frame is clamped to the range of pixels, whatever the sampler.

        Args:
            motion (Tensor): Raw codes, shape (B, N).
            noise (Tensor, optional): Standard normal noise, shape (B, 3, S, S).
            generator (Generator | list[Generator], optional): Source of noise. With a list, one per sample, a sample
                does not depend on its batch.
            sampler (Sampler | dict, optional): Replaces the model's.
            guidance_scale (float, optional): Replaces the model's; 1 is conditional sampling without guidance, 0
                ignores the codes.
            low (Tensor, optional): Low-resolution frames in [-1, 1], shape (B, 3, s, s); for a super-resolution stage.

        Returns:
            Tensor: Frames in [-1, 1], float32, shape (B, 3, S, S).
        """
        check_shape('motion', motion, (None, None))
        codes = self.normalizer.normalize(motion)
        source = noise_source(generator)
        shape = (len(codes), IMAGE_CHANNELS, self.size, self.size)
        blank = torch.empty(shape, device=codes.device, dtype=codes.dtype, memory_format=torch.channels_last)
        noise = source(blank) if noise is None else noise
        check_shape('noise', noise, shape)
        noise = noise.contiguous(memory_format=torch.channels_last)
        extra, level = self._condition_inputs(low, blank, source)

        def denoiser(with_code: bool):
            present = torch.full((len(codes),), with_code, device=codes.device)
            return self.diffusion.denoiser(self._network(codes, present, extra=extra, level=level))

        scale = self.guidance_scale if guidance_scale is None else guidance_scale
        guided = guide(denoiser(True), denoiser(False), scale)
        denoise = correct(guided, lambda x0: x0.clamp(-1, 1), self.diffusion.scheduler)
        return self.diffusion.sample(denoise, noise, generator=generator, sampler=sampler).float().clamp(-1, 1)

    def _condition_inputs(self, low: Tensor | None, blank: Tensor,
                          source: NoiseSource) -> tuple[Tensor | None, Tensor | None]:
        """Inputs of a super-resolution stage in sampling: upsampled noisy frames (B, 3, S, S) and their level (B,)."""
        if low is None and self.low_size:
            raise UserError('this starting-frame model upsamples low-resolution frames; pass low')
        if low is not None and not self.low_size:
            raise UserError('this starting-frame model samples frames from codes alone; do not pass low')
        if low is None:
            return None, None
        check_shape('low', low, (len(blank), IMAGE_CHANNELS, self.low_size, self.low_size))
        level = torch.full((len(blank),), SAMPLING_LEVEL, device=blank.device)
        low = self._upsample(low.to(blank)).contiguous(memory_format=torch.channels_last)
        return self._augment_conditioning(low, level, source(blank)), level

    # ---- MMEngine's model contract -----------------------------------------
    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Sample one frame for the code of each given one; a super-resolution stage gets the given frames downsampled.

        Args:
            inputs (dict): ``frame``, shape (B, 3, S, S), in [-1, 1]; ``motion``, raw codes, shape (B, N).
            data_samples (dict, optional): With ``name`` (and ``start``), each sample has its own seed.

        Returns:
            list: Per sample ``real`` and ``generated``, frames (3, S, S) in [-1, 1], ``motion`` (N,), and ``name`` and
            ``start`` if known.
        """
        frame, motion = self._training_tensors(inputs)
        low = self._downsample(frame) if self.low_size else None
        generators = evaluation_generators(data_samples, len(frame))
        generated = self.sample(motion, generator=generators, low=low)
        return one_dict_per_sample(data_samples, real=frame, generated=generated, motion=motion)

    def _forward(self, inputs: dict[str, Tensor]) -> Tensor:
        frame, motion = self._training_tensors(inputs)
        t = torch.zeros(len(frame), dtype=torch.long, device=frame.device)
        extra = self._upsample(self._downsample(frame)) if self.low_size else None
        level = torch.zeros_like(t, dtype=frame.dtype) if self.low_size else None
        present = torch.ones_like(t, dtype=torch.bool)
        return self._network(self.normalizer.normalize(motion), present, extra=extra, level=level)(frame, t)


def _options(name: str, defaults: dict[str, Any], given: Mapping[str, Any] | None) -> list[Any]:
    """Values in the order of the defaults."""
    unknown = sorted(set(given or {}) - set(defaults))
    if unknown:
        raise UserError(f'{name}.{unknown[0]} is unknown; the keys are {", ".join(defaults)}')
    return list({**defaults, **(given or {})}.values())
