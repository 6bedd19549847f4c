"""Ancestral sampling: DDPM (arXiv 2006.11239, algorithm 2), respaced as in improved DDPM (arXiv 2102.09672)."""

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction, broadcast_to_rank
from leokit.registry import SAMPLERS
from leokit.samplers.base import Sampler
from leokit.samplers.noise import NoiseSource
from leokit.utils import UserError

VARIANCES = ('fixed_small', 'fixed_large')


@SAMPLERS.register_module()
class DDPMSampler(Sampler):
    """Sample from the posterior given the predicted clean sample.

    Args:
        variance (str): ``'fixed_small'``, that of the posterior, or ``'fixed_large'``, the beta of the forward step.
        num_inference_steps, timestep_spacing, clip: See :class:`Sampler`; the paper takes every diffusion step (None).
    """

    def __init__(self, num_inference_steps: int | None = None, *, timestep_spacing: str = 'leading',
                 variance: str = 'fixed_small', clip: float | None = None) -> None:
        super().__init__(num_inference_steps, timestep_spacing=timestep_spacing, clip=clip)
        if variance not in VARIANCES:
            raise UserError(f'variance={variance!r} is unknown; set the sampler key variance to one of '
                            f'{", ".join(map(repr, VARIANCES))}')
        self.variance = variance

    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        mean, variance = scheduler.posterior(prediction.x0, x, t, t_prev)
        if self.variance == 'fixed_large':
            variance = scheduler.step_beta(t, t_prev)
        deviation = variance.sqrt() * (t_prev >= 0)  # the last step adds no noise
        return mean + broadcast_to_rank(deviation, x) * noise_source(x)
