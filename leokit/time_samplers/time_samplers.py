"""Distributions of the training time.

The loss of a diffusion model is an expectation over times; which times are sampled often is a choice that matters as
much as the weight of the loss (EDM, arXiv 2206.00364, section 5; Stable Diffusion 3, arXiv 2403.03206, section 3.1).
"""

from abc import ABC, abstractmethod

import torch
from torch import Generator, Tensor

from leokit.noise_schedulers import NoiseScheduler
from leokit.registry import TIME_SAMPLERS
from leokit.utils import UserError
from leokit.utils.batch_random import own_rows


class TimeSampler(ABC):
    """Base of the time samplers; they hold no state."""

    @abstractmethod
    def sample(self, count: int, scheduler: NoiseScheduler, *, device: torch.device,
               generator: Generator | None = None) -> Tensor:
        """Random times 0 … S-1 of a scheduler, int64, shape (count,).

        Args:
            count (int): Number of times.
            scheduler (NoiseScheduler): The forward process.
            device (torch.device): Device of the result.
            generator (Generator, optional): Source of randomness; torch's global one by default.
        """


@TIME_SAMPLERS.register_module()
class UniformTimeSampler(TimeSampler):
    """Every time equally often (DDPM, arXiv 2006.11239, algorithm 1)."""

    def sample(self, count: int, scheduler: NoiseScheduler, *, device: torch.device,
               generator: Generator | None = None) -> Tensor:
        total = scheduler.num_train_timesteps
        if generator is None:
            return own_rows(lambda rows: torch.randint(0, total, (rows,), device=device), count)
        return torch.randint(0, total, (count,), generator=generator, device=generator.device).to(device)


@TIME_SAMPLERS.register_module()
class GridTimeSampler(TimeSampler):
    """The times of ``num_steps`` sampling steps on the trailing grid, every one equally often.

    On pairs of noise and sequence it distills a rectified flow into as many steps (arXiv 2209.03003, section 2.2): the
    network need not be right at times that sampling does not visit.

    Args:
        num_steps (int): Sampling steps, 1 … S.
    """

    def __init__(self, num_steps: int) -> None:
        if num_steps < 1:
            raise UserError(f'GridTimeSampler: num_steps={num_steps} must be at least 1')
        self.num_steps = num_steps

    def sample(self, count: int, scheduler: NoiseScheduler, *, device: torch.device,
               generator: Generator | None = None) -> Tensor:
        if self.num_steps > scheduler.num_train_timesteps:
            raise UserError(f'GridTimeSampler: num_steps={self.num_steps} is more than the '
                            f'{scheduler.num_train_timesteps} diffusion times')
        where = device if generator is None else generator.device

        def rows(number: int) -> Tensor:
            return torch.randint(0, self.num_steps, (number,), generator=generator, device=where)

        steps = (own_rows(rows, count) if generator is None else rows(count)).to(device)
        total = scheduler.num_train_timesteps
        return (total - (steps * total).double() / self.num_steps).round().long() - 1  # as samplers.trailing_grid


class _NormalTimeSampler(TimeSampler):
    """A normal variable, mapped to times."""

    def __init__(self, mean: float, std: float) -> None:
        if not std > 0:
            raise UserError(f'{type(self).__name__}: std={std} must be positive')
        self.mean, self.std = mean, std

    def sample(self, count: int, scheduler: NoiseScheduler, *, device: torch.device,
               generator: Generator | None = None) -> Tensor:
        where = device if generator is None else generator.device

        def randn(rows: int) -> Tensor:
            return torch.randn(rows, generator=generator, device=where, dtype=torch.float64)

        normal = self.mean + self.std * (own_rows(randn, count) if generator is None else randn(count))
        return self._to_times(normal.to(device), scheduler)

    @abstractmethod
    def _to_times(self, normal: Tensor, scheduler: NoiseScheduler) -> Tensor:
        """Times 0 … S-1, int64, for values of the normal variable (count,)."""


@TIME_SAMPLERS.register_module()
class LogitNormalTimeSampler(_NormalTimeSampler):
    """``sigmoid(n)``, ``n ~ N(mean, std^2)``, as the fraction of the S times: the middle more often than the ends.

    Stable Diffusion 3 (arXiv 2403.03206, section 3.1) for flow matching.

    Args:
        mean (float): Mean of the normal variable; above 0 for more noise.
        std (float): Its standard deviation.
    """

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__(mean, std)

    def _to_times(self, normal: Tensor, scheduler: NoiseScheduler) -> Tensor:
        total = scheduler.num_train_timesteps
        return (torch.sigmoid(normal) * total).long().clamp_max(total - 1)


@TIME_SAMPLERS.register_module()
class LogNormalTimeSampler(_NormalTimeSampler):
    """``log(sigma / alpha) ~ N(mean, std^2)``: the noise level itself is log-normal (EDM, arXiv 2206.00364, table 1).

    The time whose half log-SNR is nearest to the sampled one is taken, so it works with any schedule.

    Args:
        mean (float): Mean of the log noise level, ``P_mean`` of the paper.
        std (float): Its standard deviation, ``P_std``.
    """

    def __init__(self, mean: float = -1.2, std: float = 1.2) -> None:
        super().__init__(mean, std)

    def _to_times(self, normal: Tensor, scheduler: NoiseScheduler) -> Tensor:
        times = torch.arange(scheduler.num_train_timesteps, device=normal.device)
        log_noise = -scheduler.half_log_snr(times)  # (S,), increasing
        right = torch.searchsorted(log_noise, normal).clamp(1, len(times) - 1)
        nearer_left = normal - log_noise[right - 1] < log_noise[right] - normal
        return right - nearer_left.long()
