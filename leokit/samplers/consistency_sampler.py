"""Multistep sampling of consistency models (arXiv 2303.01469, algorithm 1)."""

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.registry import SAMPLERS
from leokit.samplers.base import Sampler
from leokit.samplers.noise import NoiseSource


@SAMPLERS.register_module()
class ConsistencySampler(Sampler):
    """Every step predicts the clean sample and adds fresh noise to it, up to the next time; one step adds none.

    Args:
        num_inference_steps, timestep_spacing, clip: See :class:`Sampler`.
    """

    def __init__(self, num_inference_steps: int | None = 1, *, timestep_spacing: str = 'trailing',
                 clip: float | None = None) -> None:
        super().__init__(num_inference_steps, timestep_spacing=timestep_spacing, clip=clip)

    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        return scheduler.add_noise(prediction.x0, noise_source(x), t_prev)
