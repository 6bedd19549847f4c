"""How named motion parameters move within sequences: how far, how fast, and which of them together.

Comparing generated with real sequences this way distinguishes nodding from swaying, or talking from a mouth that stays
open, which a distance of distributions does not.
"""

import math

import torch
from einops import rearrange
from torch import Tensor

from leokit.utils import check_shape


def parameter_ranges(sequences: Tensor) -> Tensor:
    """Standard deviation over time of every parameter, for each sequence.

    Args:
        sequences (Tensor): Shape (B, T, K).

    Returns:
        Tensor: float64, shape (B, K).
    """
    return _centered(sequences).square().mean(1).sqrt()


def mean_frequencies(sequences: Tensor, fps: float) -> Tensor:
    """Frequency at which every parameter moves, over all sequences.

    It is the frequency of a sine with the same ratio of two powers: of the values, and of the differences of successive
    frames. Slow drifts count little, since they hardly change between frames.

    Args:
        sequences (Tensor): Shape (B, T, K), T >= 2.
        fps (float): Frames per second.

    Returns:
        Tensor: Hertz, float64, shape (K,); NaN for a parameter that never moves.
    """
    if _centered(sequences).shape[1] < 2:
        raise ValueError('a frequency needs at least two frames')
    power = _centered(sequences).square().mean((0, 1))
    change = sequences.detach().double().diff(dim=1).square().mean((0, 1))
    phase = torch.acos((1 - change / (2 * power)).clamp(-1, 1))  # radians per frame; 0 / 0 is NaN
    return phase * fps / (2 * math.pi)


def parameter_correlations(sequences: Tensor) -> Tensor:
    """Correlation of every two parameters within sequences.

    Args:
        sequences (Tensor): Shape (B, T, K).

    Returns:
        Tensor: float64 in [-1, 1], shape (K, K); NaN where one of the two never moves.
    """
    flat = rearrange(_centered(sequences), 'b t k -> (b t) k')
    products = flat.t() @ flat
    power = products.diagonal()
    return products / (power[:, None] * power).sqrt()


def _centered(sequences: Tensor) -> Tensor:
    check_shape('sequences', sequences, (None, None, None))
    values = sequences.detach().double()
    return values - values.mean(1, keepdim=True)
