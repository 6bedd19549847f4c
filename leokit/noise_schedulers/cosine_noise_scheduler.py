"""The cosine schedule of improved DDPM (arXiv 2102.09672, equation 17)."""

import math

import torch

from leokit.noise_schedulers.base import NoiseScheduler
from leokit.registry import NOISE_SCHEDULERS


@NOISE_SCHEDULERS.register_module()
class CosineNoiseScheduler(NoiseScheduler):
    """The signal level follows a squared cosine: ``a_t`` about ``cos(((t+1)/S + s) / (1 + s) * pi/2)^2``.

    Args:
        num_train_timesteps (int): Diffusion steps S.
        offset (float): ``s``, which keeps the first betas from being too small.
        max_beta (float): Upper bound of the betas; without it the last one is 1.
        rescale_zero_terminal_snr (bool): See :class:`NoiseScheduler`.
    """

    def __init__(self, num_train_timesteps: int = 1000, *, offset: float = 0.008, max_beta: float = 0.999,
                 rescale_zero_terminal_snr: bool = False) -> None:
        u = torch.arange(num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
        level = torch.cos((u + offset) / (1 + offset) * math.pi / 2) ** 2
        betas = (1 - level[1:] / level[:-1]).clamp_max(max_beta)
        super().__init__(betas, rescale_zero_terminal_snr=rescale_zero_terminal_snr)
