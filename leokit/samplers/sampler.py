"""What every sampler shares: the loop over a time grid.

A sampler sees a callable ``denoise(x, t) -> Prediction`` and nothing of the network behind it; wrap the
callable to guide, to inpaint or to clip. A step gets its ``t`` and ``t_prev``; nothing is kept between
steps but what the loop passes on.
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
        num_inference_steps (int, optional): Steps to take; None for every diffusion step.
        timestep_spacing (str): The time grid: ``'leading'``, ``'trailing'``, ``'linspace'`` or ``'karras'``.
        clip (float, optional): Clamp the predicted clean sample to [-clip, clip] at every step.

    Raises:
        UserError: If ``clip`` is not positive.
    """

    def __init__(self, num_inference_steps: int | None, *, timestep_spacing: str, clip: float | None = None) -> None:
        if clip is not None and not clip > 0:
            raise UserError(f'clip={clip} must be positive; set the sampler key clip to a bound or to None')
        self.num_inference_steps = num_inference_steps
        self.timestep_spacing = timestep_spacing
        self.clip = clip

    def steps(self, scheduler: GaussianPath) -> Steps:
        """The pairs ``(t, t_prev)`` this sampler visits by default.

        Args:
            scheduler (GaussianPath): The forward process.

        Returns:
            tuple: Pairs ``(t, t_prev)``, the last ``t_prev`` being the data.

        Raises:
            UserError: If the number of steps or the spacing does not fit the scheduler.
        """
        total = scheduler.num_train_timesteps
        count = total if self.num_inference_steps is None else self.num_inference_steps
        if self.timestep_spacing == 'karras':
            times = torch.arange(total)
            return next_in_grid(karras_grid(-scheduler.half_log_snr(times.to(next(scheduler.buffers()).device)), count))
        return next_in_grid(time_grid(self.timestep_spacing, total, count))

    @abstractmethod
    def step(self, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor, scheduler: GaussianPath, *,
             noise_source: NoiseSource, history: tuple[Tensor, Prediction] | None) -> Tensor:
        """One step of the reverse process.

        Args:
            x (Tensor): Sample at time ``t``, shape (B, ...).
            prediction (Prediction): What the network believes of it, clipped already.
            t (Tensor): Its time 0 … S-1, shape (B,).
            t_prev (Tensor): The time to go to, -1 … S-2, shape (B,).
            scheduler (GaussianPath): The forward process.
            noise_source (NoiseSource): Draws fresh noise like a batch.
            history (tuple, optional): Time and prediction of the step before; None at the first.

        Returns:
            Tensor: Sample at time ``t_prev``, shaped like ``x``.
        """

    def advance(self, denoise: Denoiser, x: Tensor, prediction: Prediction, t: Tensor, t_prev: Tensor,
                scheduler: GaussianPath, **options: Any) -> Tensor:
        """One step for samplers that evaluate the network more than once in it; all others only have :meth:`step`."""
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
            noise (Tensor): The start: standard normal noise, shape (B, ...).
            scheduler (GaussianPath): The forward process.
            steps (Steps, optional): Pairs ``(t, t_prev)`` in place of the sampler's own.
            noise_source (NoiseSource): Draws fresh noise like a batch, for the samplers that need it.

        Yields:
            Tensor: Sample at ``t_prev`` of each step, shaped like ``noise``.
        """
        x, history = noise, None
        for t_int, t_prev_int in self.steps(scheduler) if steps is None else steps:
            t = torch.full((x.shape[0],), t_int, dtype=torch.long, device=x.device)
            t_prev = torch.full_like(t, t_prev_int)
            prediction = self.clipped(x, denoise(x, t), t, scheduler)
            x = self.advance(denoise, x, prediction, t, t_prev, scheduler, noise_source=noise_source, history=history)
            history = (t, prediction)
            yield x

    def sample(self, denoise: Denoiser, noise: Tensor, scheduler: GaussianPath, *, steps: Steps | None = None,
               noise_source: NoiseSource = torch.randn_like) -> Tensor:
        """Run every step and return the last sample (arguments as in :meth:`iterate`).

        Returns:
            Tensor: Clean sample, shaped like ``noise``.
        """
        samples = self.iterate(denoise, noise, scheduler, steps=steps, noise_source=noise_source)
        return deque(samples, maxlen=1).pop()
