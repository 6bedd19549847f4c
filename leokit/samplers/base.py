"""The base class of the samplers: a loop over a time grid. LEO samples with :class:`DDIMSampler`.

A sampler calls ``denoise(x, t) -> Prediction`` and knows nothing about the network behind it; guidance, inpainting and
bounds wrap this callable. Samplers have no state between steps: everything a step needs is an argument.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Any, Callable, Iterator

import torch
from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.samplers.noise import NoiseSource
from leokit.samplers.time_grids import Steps, karras_grid, next_in_grid, time_grid
from leokit.utils import UserError

Denoiser = Callable[[Tensor, Tensor], Prediction]  # x (B, ...), t (B,) -> Prediction(x0, eps), each (B, ...)


class Sampler(ABC):
    """Base of the samplers.

    Args:
        num_inference_steps (int, optional): Sampling steps; None for every diffusion step.
        timestep_spacing (str): The time grid: ``'leading'``, ``'trailing'``, ``'linspace'`` or ``'karras'``.
        clip (float, optional): Clamp the predicted clean sample to [-clip, clip] at every step.
    """

    def __init__(self, num_inference_steps: int | None, *, timestep_spacing: str, clip: float | None = None) -> None:
        if clip is not None and not clip > 0:
            raise UserError(f'clip={clip} must be positive; set clip of the sampler to a positive bound, or to None to '
                            'disable clipping')
        self.num_inference_steps = num_inference_steps
        self.timestep_spacing = timestep_spacing
        self.clip = clip

    @property
    def supports_cuda_graph(self) -> bool:
        """Whether sampling can be one CUDA graph: no fresh noise, and nothing that reads values from the device."""
        return False

    def steps(self, scheduler: GaussianPath) -> Steps:
        """The pairs ``(t, t_prev)`` that this sampler visits by default; the last ``t_prev`` is the data."""
        total, count = scheduler.num_train_timesteps, self.num_inference_steps
        if count is None:  # whatever the spacing, also 'linspace', which by itself leaves one time out
            return next_in_grid(list(range(total - 1, -1, -1)))
        if self.timestep_spacing == 'karras':
            times = torch.arange(total, device=next(scheduler.buffers()).device)
            return next_in_grid(karras_grid(-scheduler.half_log_snr(times), count))
        return next_in_grid(time_grid(self.timestep_spacing, total, count))

    @abstractmethod
    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        """One step of the reverse process.

        Args:
            x (Tensor): Sample at time ``t``, shape (B, ...).
            prediction (Prediction): The prediction of the network for it, clipped.
            t (Tensor): Its time 0 … S-1, shape (B,).
            t_prev (Tensor): The time at which the step ends, -1 … S-2, shape (B,).
            scheduler (GaussianPath): The forward process.
            noise_source (NoiseSource): Standard normal noise for a batch.
            history (tuple, optional): Time and prediction of the previous step; None at the first.

        Returns:
            Tensor: Sample at time ``t_prev``, shaped like ``x``.
        """

    def advance(self, denoise: Denoiser, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor,
                scheduler: GaussianPath, **options: Any) -> Tensor:
        """One step of a sampler that evaluates the network more than once per step; all others define :meth:`step`."""
        return self.step(x, prediction, t, t_prev, scheduler, **options)

    def clipped(self, x: Tensor, prediction: Prediction, t: Tensor, scheduler: GaussianPath) -> Prediction:
        """Clip the predicted clean sample; the noise stays as predicted (arguments as in :meth:`step`)."""
        if self.clip is None:
            return prediction
        return prediction._replace(x0=prediction.x0.clamp(-self.clip, self.clip))

    def iterate(self, denoise: Denoiser, noise: Tensor, scheduler: GaussianPath, *, steps: Steps | None = None,
                noise_source: NoiseSource = torch.randn_like) -> Iterator[Tensor]:
        """Yield the sample after each step.

        Args:
            denoise (Denoiser): Maps x (B, ...) and t (B,) to a Prediction.
            noise (Tensor): The initial standard normal noise, shape (B, ...).
            scheduler (GaussianPath): The forward process.
            steps (Steps, optional): Pairs ``(t, t_prev)`` instead of the sampler's own.
            noise_source (NoiseSource): Standard normal noise for a batch, for stochastic samplers.

        Yields:
            Tensor: Sample at ``t_prev`` of each step, shaped like ``noise``.
        """
        x, history, t_prev, t_prev_int = noise, None, None, None
        for t_int, next_int in self.steps(scheduler) if steps is None else steps:
            t = t_prev if t_int == t_prev_int else torch.full((len(x),), t_int, dtype=torch.long, device=x.device)
            t_prev, t_prev_int = torch.full_like(t, next_int), next_int
            prediction = self.clipped(x, denoise(x, t), t, scheduler)
            x = self.advance(denoise, x, prediction, t, t_prev, scheduler, noise_source=noise_source, history=history)
            history = (t, prediction)
            yield x

    def sample(self, denoise: Denoiser, noise: Tensor, scheduler: GaussianPath, *, steps: Steps | None = None,
               noise_source: NoiseSource = torch.randn_like) -> Tensor:
        """Run all steps and return the clean sample, shaped like ``noise`` (arguments as in :meth:`iterate`)."""
        samples = self.iterate(denoise, noise, scheduler, steps=steps, noise_source=noise_source)
        return deque(samples, maxlen=1).pop()
