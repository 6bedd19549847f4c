"""Correcting what a denoiser believes of the clean sample: in-painting, bounds, blending."""

from typing import Callable

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.samplers.sampler import Denoiser


def correct(denoise: Denoiser, correction: Callable[[Tensor], Tensor], scheduler: GaussianPath) -> Denoiser:
    """Put a correction of the clean sample after a denoiser; the noise follows it.

    Where the correction sets a value whatever was predicted, that value is what every sampler here arrives at.

    Args:
        denoise (Denoiser): Maps x (B, ...) and t (B,) to a Prediction.
        correction (Callable): Maps a clean sample (B, ...) to the one to believe.
        scheduler (GaussianPath): The forward process.

    Returns:
        Denoiser: The corrected denoiser.
    """
    def corrected(x: Tensor, t: Tensor) -> Prediction:
        x0 = correction(denoise(x, t).x0)
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    return corrected
