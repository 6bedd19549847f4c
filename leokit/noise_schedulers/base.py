"""Variance-preserving diffusion: one table of betas and the coefficients that follow from it.

With ``a_t`` the cumulative product of ``1 - beta`` (DDPM, arXiv 2006.11239, equations 2 to 7):

    x_t = sqrt(a_t) x0 + sqrt(1 - a_t) eps
    v   = sqrt(a_t) eps - sqrt(1 - a_t) x0        (progressive distillation, arXiv 2202.00512, appendix D)

The path is an arc; its parameter tau is the angle ``atan2(sqrt(1 - a_t), sqrt(a_t))``. The schedules of betas are
subclasses: ``linear_noise_scheduler.py`` (LEO), ``cosine_noise_scheduler.py`` and ``edm_noise_scheduler.py``.
"""

import torch
from torch import Tensor

from leokit.noise_schedulers.gaussian_path import GaussianPath, broadcast_to_rank
from leokit.utils import UserError, check_shape


class NoiseScheduler(GaussianPath):
    """The forward process for a given list of betas.

    Args:
        betas (Tensor): Variances of the forward steps, in (0, 1), shape (S,).
        rescale_zero_terminal_snr (bool): No signal at the last time; see :func:`zero_terminal_snr`.
    """

    alphas_cumprod: Tensor
    betas: Tensor

    def __init__(self, betas: Tensor, *, rescale_zero_terminal_snr: bool = False) -> None:
        super().__init__()
        betas = betas.to(torch.float64)
        if betas.ndim != 1 or len(betas) == 0 or not bool(((betas > 0) & (betas < 1)).all()):
            raise UserError('noise_scheduler: every beta must lie between 0 and 1, and there must be at least one; '
                            'check num_train_timesteps and the start and end of the schedule')
        if rescale_zero_terminal_snr:
            betas = zero_terminal_snr(betas)
        self.register_buffer('alphas_cumprod', torch.cumprod(1 - betas, dim=0), persistent=False)
        self.register_buffer('betas', betas, persistent=False)

    @property
    def num_train_timesteps(self) -> int:
        return len(self.betas)

    def signal_level(self, t: Tensor) -> Tensor:
        check_shape('t', t, (None,))
        return torch.where(t < 0, 1.0, self.alphas_cumprod[t])  # DATA_TIME reads the last entry, which is not used

    def noise_level(self, t: Tensor) -> Tensor:
        return 1 - self.signal_level(t)

    def half_log_snr(self, t: Tensor) -> Tensor:
        level = self.signal_level(t)
        return 0.5 * (level.log() - (-level).log1p())

    def path_time(self, t: Tensor) -> Tensor:
        return torch.atan2(self.noise_level(t).sqrt(), self.signal_level(t).sqrt())

    def velocity_coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        return -self.noise_level(t).sqrt(), self.signal_level(t).sqrt()

    # ---- reverse process ---------------------------------------------------
    def step_beta(self, t: Tensor, t_prev: Tensor) -> Tensor:
        return 1 - self.signal_level(t) / self.signal_level(t_prev)

    def posterior(self, x0: Tensor, x_t: Tensor, t: Tensor, t_prev: Tensor) -> tuple[Tensor, Tensor]:
        # DDPM, equations 6 and 7
        level, level_prev, beta = self.signal_level(t), self.signal_level(t_prev), self.step_beta(t, t_prev)
        of_x0 = level_prev.sqrt() * beta / (1 - level)
        of_x_t = (1 - beta).sqrt() * (1 - level_prev) / (1 - level)
        mean = broadcast_to_rank(of_x0, x0) * x0 + broadcast_to_rank(of_x_t, x0) * x_t
        return mean, beta * (1 - level_prev) / (1 - level)


def zero_terminal_snr(betas: Tensor) -> Tensor:
    """Rescale a schedule so that the last time holds no signal (arXiv 2305.08891, algorithm 1).

    ``sqrt(a_t)`` is shifted and scaled linearly: the first stays, the last becomes 0. A network trained on it must
    predict ``v`` or ``x0``, because the epsilon of pure noise contains no information about the data.

    Args:
        betas (Tensor): Betas in (0, 1), shape (S,), S >= 2.

    Returns:
        Tensor: Betas whose last one is 1, float64, shape (S,).
    """
    root = torch.cumprod(1 - betas.to(torch.float64), dim=0).sqrt()
    level = ((root - root[-1]) * root[0] / (root[0] - root[-1])).square()
    return torch.cat([1 - level[:1], 1 - level[1:] / level[:-1]])
