"""The linear schedule of DDPM (arXiv 2006.11239, section 4), with which LEO is trained."""

import torch

from leokit.noise_schedulers.base import NoiseScheduler
from leokit.registry import NOISE_SCHEDULERS


@NOISE_SCHEDULERS.register_module()
class LinearNoiseScheduler(NoiseScheduler):
    """Betas increase linearly.

    Args:
        num_train_timesteps (int): Diffusion steps S.
        start (float): First beta.
        end (float): Last beta.
        rescale_zero_terminal_snr (bool): See :class:`NoiseScheduler`.
    """

    def __init__(self, num_train_timesteps: int = 1000, *, start: float = 1e-4, end: float = 0.02,
                 rescale_zero_terminal_snr: bool = False) -> None:
        betas = torch.linspace(start, end, num_train_timesteps, dtype=torch.float64)
        super().__init__(betas, rescale_zero_terminal_snr=rescale_zero_terminal_snr)
