"""Flow matching on straight paths (arXiv 2210.02747; rectified flow, arXiv 2209.03003).

    x_s = (1 - s) x0 + s eps,    v = dx/ds = eps - x0,    s in [0, 1]

The papers run time the other way (noise at 0); here s = 0 is the data, as diffusion time is counted everywhere in
leokit. Time stays an integer 0 … S-1, ``s = (t + 1) / S``, so networks, samplers and conditions need no change.
"""

import torch
from torch import Tensor

from leokit.noise_schedulers.base import GaussianPath
from leokit.registry import NOISE_SCHEDULERS
from leokit.utils import UserError, check_shape


@NOISE_SCHEDULERS.register_module()
class FlowMatchingScheduler(GaussianPath):
    """Straight paths between data and noise; train with ``prediction_type='v'``, whose ``v`` is the vector field.

    Args:
        num_train_timesteps (int): Number S of times.
        shift (float): ``s -> shift s / (1 + (shift - 1) s)``; above 1 spends more of the times at high noise
            (arXiv 2403.03206, equation 23).
    """

    times: Tensor

    def __init__(self, num_train_timesteps: int = 1000, *, shift: float = 1.0) -> None:
        if num_train_timesteps < 1 or not shift > 0:
            raise UserError('FlowMatchingScheduler: num_train_timesteps must be 1 or more and shift positive, got '
                            f'{num_train_timesteps} and {shift}')
        super().__init__()
        s = torch.arange(1, num_train_timesteps + 1, dtype=torch.float64) / num_train_timesteps
        self.register_buffer('times', shift * s / (1 + (shift - 1) * s), persistent=False)

    @property
    def num_train_timesteps(self) -> int:
        return len(self.times)

    def path_time(self, t: Tensor) -> Tensor:
        """``s`` of integer times -1 … S-1, float64, shape (B,)."""
        check_shape('t', t, (None,))
        return torch.where(t < 0, 0.0, self.times[t])  # DATA_TIME reads the last entry, which is not used

    def signal_level(self, t: Tensor) -> Tensor:
        return (1 - self.path_time(t)).square()

    def noise_level(self, t: Tensor) -> Tensor:
        return self.path_time(t).square()

    def half_log_snr(self, t: Tensor) -> Tensor:
        s = self.path_time(t)
        return (-s).log1p() - s.log()

    def velocity_coefficients(self, t: Tensor) -> tuple[Tensor, Tensor]:
        one = torch.ones_like(self.path_time(t))
        return -one, one
