"""The noise levels of EDM (arXiv 2206.00364) as a variance-preserving process.

EDM adds noise without scaling the data, ``x = x0 + sigma n``. Divided by ``sqrt(1 + sigma^2)`` that is the process of
:class:`NoiseScheduler` with ``a = 1 / (1 + sigma^2)``. For data of unit variance EDM's preconditioned denoiser
``c_skip x + c_out F(c_in x)`` is then exactly v-prediction (``F = -v``), and its loss weight makes the loss of ``v``
unweighted. So EDM is this schedule with ``prediction_type='v'`` and ``LogNormalTimeSampler``.
"""

import torch

from leokit.noise_schedulers.base import NoiseScheduler
from leokit.registry import NOISE_SCHEDULERS
from leokit.utils import UserError


def karras_sigmas(num: int, sigma_min: float, sigma_max: float, rho: float) -> torch.Tensor:
    """Increasing noise levels, evenly spaced in ``sigma^(1/rho)`` (EDM, equation 5), float64, shape (num,)."""
    ramp = torch.linspace(0, 1, num, dtype=torch.float64)
    return (sigma_min ** (1 / rho) + ramp * (sigma_max ** (1 / rho) - sigma_min ** (1 / rho))) ** rho


@NOISE_SCHEDULERS.register_module()
class EDMNoiseScheduler(NoiseScheduler):
    """Noise levels from ``sigma_min`` to ``sigma_max``, in units of the data's standard deviation.

    Args:
        num_train_timesteps (int): Number S of levels.
        sigma_min (float): Lowest noise level.
        sigma_max (float): Highest noise level.
        rho (float): Spacing; larger values put more of the levels at low noise.
    """

    def __init__(self, num_train_timesteps: int = 1000, *, sigma_min: float = 0.002, sigma_max: float = 80.0,
                 rho: float = 7.0) -> None:
        if not 0 < sigma_min < sigma_max or not rho > 0 or num_train_timesteps < 2:
            raise UserError('EDMNoiseScheduler: needs num_train_timesteps >= 2, 0 < sigma_min < sigma_max and rho > 0, '
                            f'got {num_train_timesteps}, {sigma_min}, {sigma_max} and {rho}')
        level = 1 / (1 + karras_sigmas(num_train_timesteps, sigma_min, sigma_max, rho).square())
        super().__init__(1 - level / torch.cat([level.new_ones(1), level[:-1]]))
