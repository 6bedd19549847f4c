"""The starting frame: the conditional DDPM that draws x_1 given alpha_1 (LEO, arXiv 2305.03989, section 3.3).

A diffusion model of single frames. The frame's motion code is the condition, by classifier-free guidance
(arXiv 2207.12598). A second stage of the same class may enlarge what the first one drew: it sees the small
frame beside the noisy one, a little noised itself, so that it does not trust the first stage's faults (cascaded
diffusion, arXiv 2106.15282, section 4).

The network predicts the velocity by default: its loss stays informative from the first to the last step, and its
clean sample is never divided by the vanishing signal level that ends the cosine schedule, so bfloat16 will do.
"""

from typing import Any, Mapping

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from leokit.models.code_diffusion import evaluation_generators, one_dict_per_sample
from leokit.models.coded_model import CodedModel
from leokit.models.diffusion_core import DiffusionCore, Generators, Network
from leokit.registry import MODELS
from leokit.samplers import Sampler, correct, guide, mark_condition, noise_source
from leokit.utils import UserError, check_shape

IMAGE_CHANNELS = 3
GUIDANCE = dict(weight=1.0, condition_dropout=0.1)
LOW = dict(noise=0.2)
PREPROCESSOR = dict(type='leokit.PixelPreprocessor', channels_last=True)


@MODELS.register_module()
class StartFrameDiffusion(CodedModel):
    """Diffusion over frames, given their motion codes.

    Args:
        size (int): Side S of the frames.
        motion_dim (int): Motion dimension N.
        backbone (dict, optional): Config in DIFFUSION_BACKBONES, over images; ``UNet2D`` by default. The widths of
            its conditions are passed down.
        noise_scheduler (dict, optional): Config in NOISE_SCHEDULERS; ``CosineNoiseScheduler`` by default.
        sampler (dict, optional): Config in SAMPLERS; ``DDIMSampler`` with 50 steps by default.
        prediction (str): What the network outputs: ``'v'``, ``'epsilon'`` or ``'x0'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the plain error.
        guidance (dict, optional): ``weight`` of the classifier-free guidance in sampling (1, which is none:
            overstated, a code reads as another one), and ``condition_dropout``, the share of training samples that
            do not see their code (0.1).
        low (dict, optional): Makes it a super-resolution stage: ``size``, the side s of the small frames, and
            ``noise``, the greatest deviation of the noise on them in training (0.2; half of it in sampling).
        data_preprocessor (dict, optional): Config in MODELS; ``PixelPreprocessor`` by default.

    Attributes:
        size (int): S.
        guidance_scale (float): The scale in sampling.
        condition_dropout (float): The share.
        low_size (int | None): s; None for a first stage.

    Raises:
        UserError: If an option is unknown or does not fit.
    """

    def __init__(self, size: int = 64, motion_dim: int = 20, *, backbone: dict | None = None,
                 noise_scheduler: dict | None = None, sampler: dict | None = None, prediction: str = 'v',
                 min_snr_gamma: float | None = None, guidance: Mapping[str, float] | None = None,
                 low: Mapping[str, float] | None = None, data_preprocessor: dict | None = None) -> None:
        core = DiffusionCore(noise_scheduler or dict(type='CosineNoiseScheduler', num_train_timesteps=1000),
                             sampler or dict(type='DDIMSampler', num_inference_steps=50),
                             prediction=prediction, min_snr_gamma=min_snr_gamma)
        passed_down = dict(cond_dim=motion_dim + 1 + bool(low), extra_channels=IMAGE_CHANNELS * bool(low))
        super().__init__(motion_dim, {**(backbone or dict(type='UNet2D')), **passed_down}, core=core,
                         data_preprocessor=data_preprocessor or PREPROCESSOR)
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
        return 'the super-resolution start-frame model' if self.low_size else 'the start-frame model'

    @property
    def conventions(self) -> dict[str, Any]:
        """What weights rely on and do not show, beside what the core does; checkpoints carry it."""
        return dict(size=self.size, low_size=self.low_size)

    def set_statistics(self, mean: Any, std: Any, *, animator_hash: str | None = None) -> None:
        """Set the statistics of the codes to train with, and whose codes they are.

        Args:
            mean (Tensor | ndarray): Mean of the codes, shape (N,).
            std (Tensor | ndarray): Their standard deviation, shape (N,).
            animator_hash (str, optional): The animator's ``weights_hash()``, 64 hexadecimal digits.

        Raises:
            UserError: If a statistic does not fit, or the model already belongs to another animator.
        """
        self._set_statistics(dict(mean=mean, std=std), animator_hash)

    # ---- training ----------------------------------------------------------
    def loss(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None, *,
             generator: Generator | None = None) -> dict[str, Tensor]:
        """The denoising loss, for times, noise and left-out conditions drawn afresh.

        Args:
            inputs (dict): ``frame``, shape (B, 3, S, S), in [-1, 1]; ``motion``, raw codes, shape (B, N).
            data_samples (dict, optional): Not used.
            generator (Generator, optional): Source of randomness; torch's global one by default. With a generator
                nothing is compiled.

        Returns:
            dict: ``loss_diffusion``, a scalar.

        Raises:
            UserError: If the statistics are not set, or frames or codes do not fit.
        """
        frame, motion = self._checked(inputs)
        if generator is None and self._compiled_objective is not None:
            return dict(loss_diffusion=self._compiled_objective(frame, motion))
        return dict(loss_diffusion=self._objective(frame, motion, generator))

    def _checked(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        frame, motion = inputs['frame'], inputs['motion']
        if tuple(frame.shape[1:]) != (IMAGE_CHANNELS, self.size, self.size):
            raise UserError(f'the frames have shape {tuple(frame.shape[1:])}, but the model draws '
                            f'{(IMAGE_CHANNELS, self.size, self.size)}; give data set and model the same size')
        check_shape('inputs.motion', motion, (frame.shape[0], None))
        return frame, motion

    def _objective(self, frame: Tensor, motion: Tensor, generator: Generator | None = None) -> Tensor:
        """The denoising loss of frames (B, 3, S, S) given raw codes (B, N), a scalar."""
        present = _uniform(frame, generator) >= self.condition_dropout
        extra, level = None, None
        if self.low_size:
            level = _uniform(frame, generator)
            extra = self._spoilt(self._enlarge(F.adaptive_avg_pool2d(frame, self.low_size)), level,
                                 noise_source(generator)(frame))
        network = self._network(self.normalize(motion), present, extra=extra, level=level)
        return self.diffusion.loss(network, frame, generator=generator).mean()

    def _network(self, codes: Tensor, present: Tensor, *, extra: Tensor | None, level: Tensor | None) -> Network:
        """The callable that the core trains and samples.

        Normalized codes (B, N), which of them are shown (B,), the enlarged small frames (B, 3, S, S) and how noisy
        they are, in [0, 1] (B,).
        """
        cond = mark_condition(codes, present)
        if level is not None:
            cond = torch.cat([cond, level.to(cond.dtype)[:, None]], dim=1)
        return lambda x, t: self.backbone(x, t, cond, **({} if extra is None else dict(extra=extra)))

    def _enlarge(self, low: Tensor) -> Tensor:
        return F.interpolate(low, (self.size, self.size), mode='bilinear', align_corners=False)

    def _spoilt(self, low: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Small frames, enlarged (B, 3, S, S), with noise of a level (B,) in [0, 1] of the greatest deviation."""
        return low + self.low_noise * level[:, None, None, None] * noise

    # ---- generation --------------------------------------------------------
    @torch.no_grad()
    def sample(self, motion: Tensor, *, noise: Tensor | None = None, generator: Generators = None,
               sampler: Sampler | dict[str, Any] | None = None, guidance_scale: float | None = None,
               low: Tensor | None = None) -> Tensor:
        """Draw frames.

        At every step the predicted clean frame is clamped to the range of pixels, whatever the sampler.

        Args:
            motion (Tensor): Raw codes, shape (B, N).
            noise (Tensor, optional): Standard normal noise, shape (B, 3, S, S).
            generator (Generator | list[Generator], optional): Source of noise; a list holds one per sample, and
                then a sample does not depend on the others of its batch.
            sampler (Sampler | dict, optional): In place of the model's.
            guidance_scale (float, optional): In place of the model's; 1 is plain conditional sampling, 0 ignores
                the codes.
            low (Tensor, optional): Small frames in [-1, 1], shape (B, 3, s, s); for a super-resolution stage only.

        Returns:
            Tensor: Frames in [-1, 1], float32, shape (B, 3, S, S).

        Raises:
            UserError: If the statistics are not set, or ``low`` is missing or not wanted.
            ValueError: If a shape does not fit.
        """
        check_shape('motion', motion, (None, None))
        codes = self.normalize(motion)
        source = noise_source(generator)
        shape = (len(codes), IMAGE_CHANNELS, self.size, self.size)
        blank = torch.empty(shape, device=codes.device, dtype=codes.dtype, memory_format=torch.channels_last)
        noise = source(blank) if noise is None else noise
        check_shape('noise', noise, shape)
        noise = noise.contiguous(memory_format=torch.channels_last)
        extra, level = self._beside(low, blank, source)

        def denoiser(shown: bool):
            present = torch.full((len(codes),), shown, device=codes.device)
            return self.diffusion.denoiser(self._network(codes, present, extra=extra, level=level))

        scale = self.guidance_scale if guidance_scale is None else guidance_scale
        guided = guide(denoiser(True), denoiser(False), scale)
        denoise = correct(guided, lambda x0: x0.clamp(-1, 1), self.diffusion.scheduler)
        return self.diffusion.sample(denoise, noise, generator=generator, sampler=sampler).float().clamp(-1, 1)

    def _beside(self, low: Tensor | None, blank: Tensor, source) -> tuple[Tensor | None, Tensor | None]:
        """What a super-resolution stage is given in sampling: enlarged small frames and their noise level."""
        if (low is None) != (self.low_size is None):
            raise UserError(f'this start-frame model {"enlarges small frames" if self.low_size else "draws from codes"}'
                            f'; {"pass" if self.low_size else "do not pass"} low')
        if low is None:
            return None, None
        check_shape('low', low, (len(blank), IMAGE_CHANNELS, self.low_size, self.low_size))
        level = torch.full((len(blank),), 0.5, device=blank.device)
        low = self._enlarge(low.to(blank)).contiguous(memory_format=torch.channels_last)
        return self._spoilt(low, level, source(blank)), level

    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Draw one frame for the code of each given one; a super-resolution stage enlarges the given ones, made small.

        Args:
            inputs (dict): As for :meth:`loss`.
            data_samples (dict, optional): With ``name`` (and ``start``), each sample has its own seed.

        Returns:
            list: Per sample ``real`` and ``generated``, frames (3, S, S) in [-1, 1], ``motion`` (N,), and ``name`` and
            ``start`` if known.
        """
        frame, motion = self._checked(inputs)
        low = F.adaptive_avg_pool2d(frame, self.low_size) if self.low_size else None
        generators = evaluation_generators(data_samples, len(frame))
        generated = self.sample(motion, generator=generators, low=low)
        return one_dict_per_sample(data_samples, real=frame, generated=generated, motion=motion)

    def _forward(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> Tensor:
        """The network's output for the clean frames at time 0, shape (B, 3, S, S)."""
        frame, motion = self._checked(inputs)
        t = torch.zeros(len(frame), dtype=torch.long, device=frame.device)
        extra = self._enlarge(F.adaptive_avg_pool2d(frame, self.low_size)) if self.low_size else None
        level = torch.zeros_like(t, dtype=frame.dtype) if self.low_size else None
        return self._network(self.normalize(motion), torch.ones_like(t, dtype=torch.bool), extra=extra, level=level)(
            frame, t)


def _options(name: str, defaults: dict[str, Any], given: Mapping[str, Any] | None) -> list[Any]:
    """Values by the names of the defaults.

    Raises:
        UserError: If a given name is unknown.
    """
    unknown = sorted(set(given or {}) - set(defaults))
    if unknown:
        raise UserError(f'{name}.{unknown[0]} is unknown; the keys are {", ".join(defaults)}')
    return list({**defaults, **(given or {})}.values())


def _uniform(like: Tensor, generator: Generator | None) -> Tensor:
    """One number in [0, 1) per sample, shape (B,)."""
    if generator is None:
        return torch.rand(len(like), device=like.device)
    return torch.rand(len(like), device=generator.device, generator=generator).to(like.device)
