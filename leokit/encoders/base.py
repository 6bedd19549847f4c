"""The output of an encoder."""

from typing import NamedTuple

from torch import Tensor


class Encoding(NamedTuple):
    """An encoded image.

    Attributes:
        appearance (Tensor): Appearance vector w, shape (B, D).
        motion (Tensor): Motion code α, shape (B, N).
        features (tuple[Tensor, ...]): Feature maps of resolutions 8, 16, ..., size, which are warped.
    """

    appearance: Tensor
    motion: Tensor
    features: tuple[Tensor, ...]
