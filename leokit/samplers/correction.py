"""Corrections of the predicted clean sample: inpainting, bounds, blending."""

from dataclasses import dataclass
from typing import Callable, Hashable

from torch import Tensor

from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.samplers.base import Denoiser


@dataclass(frozen=True)
class Correction:
    """A correction whose data are named: sampling with it can be one CUDA graph, replayed with other data.

    Any callable of the sequence is a correction too, but is called anew at every step of every sampling.

    Attributes:
        function (Callable): Maps the predicted clean sequence and ``tensors`` to the corrected sequence; on the device,
            without reading values.
        tensors (tuple[Tensor, ...]): Its data.
        kind (Hashable): What the function does; two of one kind, with tensors of the same shapes, are interchangeable.
    """

    function: Callable[..., Tensor]
    tensors: tuple[Tensor, ...]
    kind: Hashable

    def __call__(self, sequence: Tensor) -> Tensor:
        return self.function(sequence, *self.tensors)

    def then(self, following: 'Correction') -> 'Correction':
        """This correction, followed by another."""
        count = len(self.tensors)

        def function(sequence: Tensor, *tensors: Tensor) -> Tensor:
            return following.function(self.function(sequence, *tensors[:count]), *tensors[count:])

        return Correction(function, (*self.tensors, *following.tensors), (self.kind, following.kind))


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
