"""What every encoder returns."""

from typing import NamedTuple

from torch import Tensor


class Encoding(NamedTuple):
    """An encoded image.

    Attributes:
        appearance (Tensor): Appearance vector w, shape (B, D).
        motion (Tensor): Motion code α, shape (B, N).
        features (tuple[Tensor, ...]): Feature maps of sides 8, 16, ..., size: what gets warped.
    """

    appearance: Tensor
    motion: Tensor
    features: tuple[Tensor, ...]
