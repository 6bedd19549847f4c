"""Solvers of the probability flow ODE: Euler, Heun, midpoint.

They follow ``dx/dtau = v(x, tau)`` in the path parameter of the process: the fraction ``s`` of noise in flow matching,
the angle ``atan2(sigma, alpha)`` in a variance-preserving process. In both, ``v`` is what ``prediction_type='v'``
predicts, and the ODE is regular at both ends. A second-order step evaluates the network twice.
"""

from abc import abstractmethod

from torch import Tensor

from leokit.noise_schedulers import DATA_TIME, GaussianPath, Prediction, broadcast_to_rank
from leokit.registry import SAMPLERS
from leokit.samplers.base import Denoiser, Sampler
from leokit.samplers.noise import NoiseSource


class _ODESampler(Sampler):
    """Deterministic; the arguments are those of :class:`Sampler`."""

    def __init__(self, num_inference_steps: int | None = 20, *, timestep_spacing: str = 'trailing',
                 clip: float | None = None) -> None:
        super().__init__(num_inference_steps, timestep_spacing=timestep_spacing, clip=clip)

    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        h = scheduler.path_time(t_prev) - scheduler.path_time(t)  # (B,), negative
        return x + broadcast_to_rank(h, x) * scheduler.velocity(*prediction, t)


@SAMPLERS.register_module()
class EulerSampler(_ODESampler):
    """First order. On the straight paths of flow matching it is DDIM."""

    @property
    def supports_cuda_graph(self) -> bool:
        return self.timestep_spacing != 'karras'


class _SecondOrderSampler(_ODESampler):
    """A Runge-Kutta step of second order with one intermediate evaluation."""

    def advance(self, denoise: Denoiser, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor,
                scheduler: GaussianPath, *, noise_source: NoiseSource,
                history: tuple[Tensor, Prediction] | None) -> Tensor:
        between = self.intermediate_time(int(t[0]), int(t_prev[0]))
        if between is None:  # nowhere to evaluate the network: a step of first order
            return self.step(x, prediction, t, t_prev, scheduler, noise_source=noise_source, history=history)
        t_mid = t.new_full(t.shape, between)
        tau, tau_mid, tau_prev = (scheduler.path_time(time) for time in (t, t_mid, t_prev))
        first = scheduler.velocity(*prediction, t)
        x_mid = x + broadcast_to_rank(tau_mid - tau, x) * first
        second = scheduler.velocity(*self.clipped(x_mid, denoise(x_mid, t_mid), t_mid, scheduler), t_mid)
        # weights 1 - 1/(2c) and 1/(2c), with the intermediate point at the fraction c of the step
        weight = broadcast_to_rank((tau_prev - tau) / (2 * (tau_mid - tau)), x)
        return x + broadcast_to_rank(tau_prev - tau, x) * ((1 - weight) * first + weight * second)

    @abstractmethod
    def intermediate_time(self, t: int, t_prev: int) -> int | None:
        """The time of the second evaluation, below ``t``; None for a step of first order."""


@SAMPLERS.register_module()
class HeunSampler(_SecondOrderSampler):
    """Averages the slopes at both ends of a step (EDM, arXiv 2206.00364, algorithm 1 without churn).

    The last step is of first order, since the network is not defined at the data; so n steps take 2n - 1 evaluations.
    """

    def intermediate_time(self, t: int, t_prev: int) -> int | None:
        return None if t_prev == DATA_TIME else t_prev


@SAMPLERS.register_module()
class MidpointSampler(_SecondOrderSampler):
    """Takes the slope near the middle of a step, at the integer time nearest to it."""

    def intermediate_time(self, t: int, t_prev: int) -> int | None:
        return (t + t_prev) // 2 if t - t_prev > 1 else None
