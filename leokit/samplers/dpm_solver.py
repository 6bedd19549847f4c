"""DPM-Solver++ 2M (arXiv 2211.01095, algorithm 2): second order, from the prediction of the previous step."""

import torch
from torch import Tensor

from leokit.noise_schedulers import DATA_TIME, GaussianPath, Prediction, broadcast_to_rank
from leokit.registry import SAMPLERS
from leokit.samplers.base import Sampler
from leokit.samplers.noise import NoiseSource


@SAMPLERS.register_module()
class DPMSolverPlusPlusSampler(Sampler):
    """Multistep, midpoint form, deterministic; the first and the last step are of first order.

    The last step ends at the predicted clean sample, because the data has no noise (an infinite log-SNR).
    The arguments are those of :class:`Sampler`.
    """

    def __init__(self, num_inference_steps: int | None = 20, *, timestep_spacing: str = 'linspace',
                 clip: float | None = None) -> None:
        super().__init__(num_inference_steps, timestep_spacing=timestep_spacing, clip=clip)

    @property
    def supports_cuda_graph(self) -> bool:
        return self.timestep_spacing != 'karras'

    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        h = scheduler.half_log_snr(t_prev) - scheduler.half_log_snr(t)  # (B,), infinite at the last step
        denoised = prediction.x0
        if history is not None:
            t_before, before = history
            h_before = scheduler.half_log_snr(t) - scheduler.half_log_snr(t_before)
            # D = D0 + D1 / 2 with D1 = (D0 - D_before) / r and r = h_before / h; first order at the last step
            weight = torch.where(t_prev == DATA_TIME, 0.0, h / (2 * h_before))
            denoised = denoised + broadcast_to_rank(weight, x) * (prediction.x0 - before.x0)
        of_x = (scheduler.noise_level(t_prev) / scheduler.noise_level(t)).sqrt()
        of_denoised = -scheduler.signal_level(t_prev).sqrt() * torch.expm1(-h)
        return broadcast_to_rank(of_x, x) * x + broadcast_to_rank(of_denoised, x) * denoised
