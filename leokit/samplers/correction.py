"""Corrections of the predicted clean sample: inpainting, bounds, blending."""

from typing import Callable

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.samplers.base import Denoiser


def correct(denoise: Denoiser, correction: Callable[[Tensor], Tensor], scheduler: GaussianPath) -> Denoiser:
    """A denoiser whose predicted clean sample is corrected; the predicted noise is recomputed from it.

    If the correction sets a value independent of the prediction, every sampler here ends at that value.

    Args:
        denoise (Denoiser): Maps x (B, ...) and t (B,) to a Prediction.
        correction (Callable): Maps a predicted clean sample (B, ...) to the corrected one.
        scheduler (GaussianPath): The forward process.
    """
    def corrected(x: Tensor, t: Tensor) -> Prediction:
        x0 = correction(denoise(x, t).x0)
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    return corrected
