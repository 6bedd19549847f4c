"""Time grids: the diffusion times that a sampler visits.

The three spacings and their names are those of "Common Diffusion Noise Schedules and Sample Steps are
Flawed" (arXiv 2305.08891, table 2), with the rounding of the reference scheduler (diffusers 0.42).
A grid is a decreasing list of times in 0 … S-1; a step is a pair ``(t, t_prev)``, and the last
``t_prev`` is :data:`~leokit.noise_schedulers.DATA_TIME`, the data itself.
"""

import numpy as np
from torch import Tensor

from leokit.noise_schedulers import DATA_TIME
from leokit.utils import UserError

Steps = tuple[tuple[int, int], ...]


def leading_grid(num_train_timesteps: int, num_inference_steps: int) -> list[int]:
    """Multiples of ``S // n`` from 0 up, reversed; never starts at S-1 unless every step is kept.

    Args:
        num_train_timesteps (int): Diffusion steps S of the scheduler.
        num_inference_steps (int): Sampling steps n.

    Returns:
        list: Decreasing times.
    """
    stride = num_train_timesteps // num_inference_steps
    return [stride * i for i in reversed(range(num_inference_steps))]


def trailing_grid(num_train_timesteps: int, num_inference_steps: int) -> list[int]:
    """From S-1 down in equal parts; starts at pure noise, as training does (arguments as above)."""
    return [int(np.rint(num_train_timesteps - i * num_train_timesteps / num_inference_steps)) - 1
            for i in range(num_inference_steps)]


def linspace_grid(num_train_timesteps: int, num_inference_steps: int) -> list[int]:
    """``n + 1`` points from S-1 to 0, rounded half to even, without the last (arguments as above)."""
    return np.rint(np.linspace(0, num_train_timesteps - 1, num_inference_steps + 1)).astype(int)[:0:-1].tolist()


def karras_grid(log_noise: Tensor, num_inference_steps: int, *, rho: float = 7.0, max_noise: float = 80.0) -> list[int]:
    """Times whose noise levels ``sigma / alpha`` are evenly spaced to the power 1/rho (EDM, arXiv 2206.00364, eq. 5).

    Starts at S-1. Times are integers, so two levels may fall on one time; the next one down is taken then.

    Args:
        log_noise (Tensor): ``log(sigma_t / alpha_t)`` of every time, increasing, shape (S,); the last may be infinite.
        num_inference_steps (int): Sampling steps, 1 … S.
        rho (float): Larger values put more of the steps at low noise.
        max_noise (float): Bound of the highest level for processes that end in pure noise.

    Returns:
        list: Decreasing times, all different.
    """
    total = len(log_noise)
    if not 1 <= num_inference_steps <= total:
        raise UserError(f'num_inference_steps={num_inference_steps} does not fit the sampler: with {total} diffusion '
                        f'steps it must be between 1 and {total}')
    levels = log_noise.double().exp().clamp_max(max_noise).cpu().numpy()
    wanted = np.linspace(levels[-1] ** (1 / rho), levels[0] ** (1 / rho), num_inference_steps) ** rho
    nearest = np.abs(np.log(levels[None]) - np.log(wanted[:, None])).argmin(1)
    grid = [total - 1]
    for step, time in enumerate(nearest[1:].tolist(), start=1):
        # below the time before, and with room for the steps that follow
        grid.append(max(min(time, grid[-1] - 1), num_inference_steps - 1 - step))
    return grid


TIME_GRIDS = {'leading': leading_grid, 'trailing': trailing_grid, 'linspace': linspace_grid}


def time_grid(timestep_spacing: str, num_train_timesteps: int, num_inference_steps: int) -> list[int]:
    """The grid with the given spacing.

    Args:
        timestep_spacing (str): ``'leading'``, ``'trailing'`` or ``'linspace'``.
        num_train_timesteps (int): Diffusion steps S of the scheduler.
        num_inference_steps (int): Sampling steps, 1 … S (1 … S-1 for ``'linspace'``).

    Returns:
        list: Decreasing times in 0 … S-1, all different.
    """
    if timestep_spacing not in TIME_GRIDS:
        raise UserError(f'timestep_spacing={timestep_spacing!r} is unknown; set the sampler key timestep_spacing to '
                        f'one of {", ".join(map(repr, (*TIME_GRIDS, "karras")))}')
    most = num_train_timesteps - (timestep_spacing == 'linspace')
    if not 1 <= num_inference_steps <= most:
        raise UserError(f'num_inference_steps={num_inference_steps} does not fit the sampler: with '
                        f'{num_train_timesteps} diffusion steps and timestep_spacing={timestep_spacing!r} it must be '
                        f'between 1 and {most}')
    return TIME_GRIDS[timestep_spacing](num_train_timesteps, num_inference_steps)


def next_in_grid(times: list[int]) -> Steps:
    """Pairs ``(t, t_prev)`` of each time with the next one of the grid; the last one is paired with the data."""
    return tuple(zip(times, [*times[1:], DATA_TIME]))


def previous_by_stride(times: list[int], num_train_timesteps: int) -> Steps:
    """Pairs of each time with ``t - S // n``, as in the reference DDIM scheduler.

    Equal to :func:`next_in_grid` for leading grids, and for trailing ones if n divides S; otherwise the steps leave
    gaps or overlap.
    """
    stride = num_train_timesteps // len(times)
    return tuple((t, max(t - stride, DATA_TIME)) for t in times)
