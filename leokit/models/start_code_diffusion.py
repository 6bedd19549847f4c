"""The starting-code model p(alpha_1) (LEO, arXiv 2305.03989, section 3.2), which turns cLMDM into LMDM.

A frame-wise diffusion model: every code of every training sequence is one sample.
"""

from typing import Any

import torch
from einops import rearrange
from torch import Generator, Tensor

from leokit.models.code_normalizer import CodeNormalizer
from leokit.models.diffusion import Diffusion, Generators
from leokit.models.diffusion_model import DiffusionModel, evaluation_generators, one_dict_per_sample
from leokit.registry import MODELS
from leokit.samplers import Sampler, noise_source
from leokit.utils import UserError, check_shape


@MODELS.register_module()
class StartCodeDiffusion(DiffusionModel):
    """Diffusion over single motion codes.

    Args:
        motion_dim (int): Motion dimension N.
        backbone (dict, optional): Config in DIFFUSION_BACKBONES, over codes (B, N); ``MLPDenoiser`` by default.
        noise_scheduler (dict, optional): Config in NOISE_SCHEDULERS; ``LinearNoiseScheduler`` by default.
        sampler (dict, optional): Config in SAMPLERS; ``DDIMSampler`` with 50 steps by default.
        prediction_type (str): Output of the network: ``'epsilon'``, ``'x0'`` or ``'v'``.
        min_snr_gamma (float, optional): Bound of min-SNR weighting; None for the unweighted error.
        epsilon_skip (bool): See :class:`Diffusion`.
        data_preprocessor (dict, optional): See :class:`DiffusionModel`.
    """

    label = 'the starting-code model'

    def __init__(self, motion_dim: int = 20, *, backbone: dict | None = None, noise_scheduler: dict | None = None,
                 sampler: dict | None = None, prediction_type: str = 'epsilon', min_snr_gamma: float | None = None,
                 epsilon_skip: bool = True, data_preprocessor: dict | None = None) -> None:
        diffusion = Diffusion(noise_scheduler or dict(type='LinearNoiseScheduler', num_train_timesteps=1000),
                              sampler or dict(type='DDIMSampler', num_inference_steps=50),
                              prediction_type=prediction_type, min_snr_gamma=min_snr_gamma, epsilon_skip=epsilon_skip)
        super().__init__({**(backbone or dict(type='MLPDenoiser')), 'motion_dim': motion_dim}, diffusion=diffusion,
                         normalizer=CodeNormalizer(motion_dim, residuals=True), data_preprocessor=data_preprocessor)

    def _network(self, x: Tensor, t: Tensor) -> Tensor:
        return self.backbone(x, t)

    def _objective(self, motion: Tensor, generator: Generator | None = None) -> Tensor:
        codes = _as_samples(self.normalizer.normalize(motion))
        return self.diffusion.loss(self._network, codes, generator=generator).mean()

    @torch.no_grad()
    def sample(self, count: int, *, noise: Tensor | None = None, generator: Generators = None,
               sampler: Sampler | dict[str, Any] | None = None) -> Tensor:
        """Sample starting codes.

        Args:
            count (int): Number of codes B.
            noise (Tensor, optional): Standard normal noise, shape (B, N).
            generator (Generator | list[Generator], optional): Source of noise; a list holds one per sample.
            sampler (Sampler | dict, optional): Replaces the model's.

        Returns:
            Tensor: Raw codes, shape (B, N).
        """
        self.normalizer.require_statistics()
        if count < 1:
            raise UserError(f'the number of starting codes must be at least 1, got {count}')
        shape = (count, self.motion_dim)
        if noise is None:
            noise = noise_source(generator)(self.normalizer.mean.new_empty(shape))
        check_shape('noise', noise, shape)
        denoise = self.diffusion.denoiser(self._network)
        codes = self.diffusion.sample(denoise, noise, generator=generator, sampler=sampler)
        return self.normalizer.denormalize(codes)

    def predict(self, inputs: dict[str, Tensor], data_samples: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Sample one starting code for each given sequence.

        Args:
            inputs (dict): ``motion``, raw codes, shape (B, T, N) or (B, N).
            data_samples (dict, optional): With ``name`` (and ``start``), each sample has its own seed.

        Returns:
            list: Per sample ``real`` (the first code) and ``generated``, both (N,), and ``name``, ``start`` if known.
        """
        motion = inputs['motion']
        real = motion[:, 0] if motion.ndim == 3 else motion
        generated = self.sample(real.shape[0], generator=evaluation_generators(data_samples, real.shape[0]))
        return one_dict_per_sample(data_samples, real=real, generated=generated)

    def _forward(self, inputs: dict[str, Tensor]) -> Tensor:
        codes = _as_samples(self.normalizer.normalize(inputs['motion']))
        return self._network(codes, torch.zeros(codes.shape[0], dtype=torch.long, device=codes.device))


def _as_samples(codes: Tensor) -> Tensor:
    """Frames as samples: (B, T, N) or (B, N) to (B * T, N) or (B, N)."""
    return rearrange(codes, '... n -> (...) n')
