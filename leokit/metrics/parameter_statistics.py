"""How named quantities move within sequences: how far, how fast, and which of them together.

Read for generated and for real sequences side by side, they tell nodding from swaying and talking from a mouth that
hangs open, which no distance of distributions spells out.
"""

import math

import torch
from torch import Tensor

from leokit.utils import check_shape


def extents(sequences: Tensor) -> Tensor:
    """Standard deviation of every quantity over time, of each sequence by itself.

    Args:
        sequences (Tensor): Shape (B, T, K).

    Returns:
        Tensor: float64, shape (B, K).

    Raises:
        ValueError: If the shape does not fit.
    """
    return _centered(sequences).square().mean(1).sqrt()


def mean_frequencies(sequences: Tensor, fps: float) -> Tensor:
    """Frequency at which every quantity moves, over all sequences.

    It is that of the sine whose power and whose power of differences from frame to frame are those of the sequences:
    slow drifts count little, since only what changes gives differences.

    Args:
        sequences (Tensor): Shape (B, T, K), T >= 2.
        fps (float): Frames per second.

    Returns:
        Tensor: Hertz, float64, shape (K,); NaN for a quantity that never moves.

    Raises:
        ValueError: If the shape does not fit or there is a single frame.
    """
    if _centered(sequences).shape[1] < 2:
        raise ValueError('a frequency needs at least two frames')
    power = _centered(sequences).square().mean((0, 1))
    change = sequences.detach().double().diff(dim=1).square().mean((0, 1))
    turn = torch.acos((1 - change / (2 * power)).clamp(-1, 1))  # of a sine, per frame
    return torch.where(power > 0, turn * fps / (2 * math.pi), torch.nan)


def comovements(sequences: Tensor) -> Tensor:
    """Correlation of every two quantities within sequences.

    Args:
        sequences (Tensor): Shape (B, T, K).

    Returns:
        Tensor: float64 in [-1, 1], shape (K, K); NaN where one of the two never moves.

    Raises:
        ValueError: If the shape does not fit.
    """
    flat = _centered(sequences).flatten(0, 1)
    products = flat.t() @ flat
    power = products.diagonal()
    return products / (power[:, None] * power).sqrt()


def _centered(sequences: Tensor) -> Tensor:
    check_shape('sequences', sequences, (None, None, None))
    values = sequences.detach().double()
    return values - values.mean(1, keepdim=True)
