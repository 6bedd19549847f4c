"""Denoising diffusion implicit models (DDIM, arXiv 2010.02502, equations 12 and 16).

Differences of the defaults from the reference scheduler (diffusers 0.42), and its values:

- ``timestep_spacing='trailing'`` starts at S-1, the time of pure noise; the reference's default ``'leading'``
  starts one stride below.
- ``previous='grid'`` steps to the next time of the grid; the reference always steps to ``t - S // n`` (``'stride'``).
  The two differ only for uneven grids, such as ``'trailing'`` when n does not divide S.
- ``rederive_eps=True`` keeps x0 and epsilon consistent after clipping; the reference's default (False) keeps the
  epsilon of the network. Without ``clip`` there is no difference.
"""

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction, broadcast_to_rank
from leokit.registry import SAMPLERS
from leokit.samplers.base import Sampler
from leokit.samplers.noise import NoiseSource
from leokit.samplers.time_grids import Steps, previous_by_stride
from leokit.utils import UserError


@SAMPLERS.register_module()
class DDIMSampler(Sampler):
    """Deterministic for ``eta = 0``; ``eta = 1`` has the variance of DDPM.

    Args:
        eta (float): Fraction of the posterior's standard deviation that is fresh noise, 0 to 1.
        previous (str): ``'grid'``: a step ends at the next time of the grid. ``'stride'``: it ends at ``t - S // n``.
        rederive_eps (bool): After clipping, recompute the noise from the clipped sample.
        num_inference_steps, timestep_spacing, clip: See :class:`Sampler`.
    """

    def __init__(self, num_inference_steps: int | None = 50, *, eta: float = 0.0, timestep_spacing: str = 'trailing',
                 previous: str = 'grid', clip: float | None = None, rederive_eps: bool = True) -> None:
        super().__init__(num_inference_steps, timestep_spacing=timestep_spacing, clip=clip)
        if previous not in ('grid', 'stride'):
            raise UserError(f"previous={previous!r} is unknown; set the sampler key previous to 'grid' or 'stride'")
        if not 0 <= eta <= 1:
            raise UserError(f'eta={eta} must be from 0 to 1; set the sampler key eta to 0, or to 1 for fresh noise as '
                            'in DDPM')
        self.eta = eta
        self.previous = previous
        self.rederive_eps = rederive_eps

    @property
    def supports_cuda_graph(self) -> bool:
        return self.eta == 0 and self.timestep_spacing != 'karras'

    def steps(self, scheduler: GaussianPath) -> Steps:
        steps = super().steps(scheduler)
        if self.previous == 'grid':
            return steps
        return previous_by_stride([t for t, _ in steps], scheduler.num_train_timesteps)

    def clipped(self, x: Tensor, prediction: Prediction, t: Tensor, scheduler: GaussianPath) -> Prediction:
        prediction = super().clipped(x, prediction, t, scheduler)
        if self.clip is None or not self.rederive_eps:
            return prediction
        return prediction._replace(eps=scheduler.eps_from_x0(x, prediction.x0, t))

    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        if self.eta == 0:
            return scheduler.add_noise(prediction.x0, prediction.eps, t_prev)
        level_prev, noise_prev = scheduler.signal_level(t_prev), scheduler.noise_level(t_prev)
        _, posterior_variance = scheduler.posterior(prediction.x0, x, t, t_prev)
        sigma = self.eta * posterior_variance.sqrt()
        towards_x = (noise_prev - sigma ** 2).clamp_min(0).sqrt()  # negative only by rounding
        return (broadcast_to_rank(level_prev.sqrt(), x) * prediction.x0
                + broadcast_to_rank(towards_x, x) * prediction.eps
                + broadcast_to_rank(sigma, x) * noise_source(x))
