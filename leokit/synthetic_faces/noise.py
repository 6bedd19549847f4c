"""Smooth noise in the plane, the same on every machine."""

from functools import lru_cache

import torch
from torch import Tensor

from leokit.synthetic_faces.canvas import smooth_step

LATTICE = 256  # cells after which the noise repeats; a power of two


def fractal_noise(x: Tensor, y: Tensor, octaves: int) -> Tensor:
    """Smooth noise of mean 0 with values in [-1, 1]; every octave has half the size and amplitude of the one before.

    Args:
        x (Tensor): Coordinate across in cells of the first octave, broadcastable to (B, H, W).
        y (Tensor): Coordinate down, likewise.
        octaves (int): Number of octaves.

    Returns:
        Tensor: Shape (B, H, W).
    """
    values = _lattice(x.device)
    total = 0.0
    for octave in range(octaves):
        # from different places of the lattice, so that the cells of octaves do not line up
        total = total + 0.5**octave * _interpolate(values, x * 2**octave + 31 * octave, y * 2**octave + 17 * octave)
    return total / (2 - 0.5 ** (octaves - 1))


@lru_cache
def _lattice(device: torch.device) -> Tensor:
    return torch.rand(LATTICE**2, generator=torch.Generator().manual_seed(1)).to(device) * 2 - 1


def _interpolate(values: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Values of a periodic lattice between its points."""
    left, top = x.floor(), y.floor()
    u, v = smooth_step(x - left), smooth_step(y - top)
    column, row = left.long(), top.long()

    def at(right: int, down: int) -> Tensor:
        return values[(row + down & LATTICE - 1) * LATTICE + (column + right & LATTICE - 1)]

    return torch.lerp(torch.lerp(at(0, 0), at(1, 0), u), torch.lerp(at(0, 1), at(1, 1), u), v)
