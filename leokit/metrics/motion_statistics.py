"""Statistics of motion sequences: codes of a motion space, or landmarks flattened to a vector.

None of them says that motion is *right*; each catches one way of being wrong. A model that ignores its noise has no
diversity, frame-wise noise has jitter, a model that wanders off has drift, one that is continued block by block has
seams. Each is read next to the same number of real sequences.
"""

import torch
from torch import Tensor

from leokit.utils import check_shape

JERK_ORDER = 3  # jitter is the third difference: constant acceleration has none


def diversity(sequences: Tensor) -> Tensor:
    """Mean pairwise distance of sequences that share a start.

    The distance of two sequences is the Euclidean distance of their codes at the same time, averaged over time.

    Args:
        sequences (Tensor): Shape (G, K, T, N): G starts, K >= 2 sequences from each.

    Returns:
        Tensor: Shape (G,), float64.

    Raises:
        ValueError: If the shape does not fit or K is 1.
    """
    check_shape('sequences', sequences, (None, None, None, None))
    number = sequences.shape[1]
    if number < 2:
        raise ValueError('diversity needs at least two sequences from each start, got 1')
    points = sequences.detach().double().transpose(1, 2)  # (G, T, K, N)
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    return distances.sum((-2, -1)).mean(1) / (number * (number - 1))


def jerk(sequences: Tensor) -> Tensor:
    """Length of the third difference at every place where there is one.

    Args:
        sequences (Tensor): Shape (B, T, N), T >= 4.

    Returns:
        Tensor: Shape (B, T - 3), float64; entry i spans the frames i … i + 3.

    Raises:
        ValueError: If the shape does not fit or there are fewer than four frames.
    """
    check_shape('sequences', sequences, (None, None, None))
    if sequences.shape[1] <= JERK_ORDER:
        raise ValueError(f'a third difference needs at least {JERK_ORDER + 1} frames, got {sequences.shape[1]}')
    return sequences.detach().double().diff(n=JERK_ORDER, dim=1).square().sum(-1).sqrt()


def jitter(sequences: Tensor) -> Tensor:
    """Mean length of the third difference, shape (B,), float64; arguments as in :func:`jerk`."""
    return jerk(sequences).mean(1)


def seam_jerk_ratio(sequences: Tensor, seams: list[int]) -> Tensor:
    """Jerk where blocks meet over jerk elsewhere; 1 means that a seam cannot be told.

    Args:
        sequences (Tensor): Shape (B, T, N).
        seams (list[int]): The first frame of every continued block; each in 1 … T - 1.

    Returns:
        Tensor: Shape (B,), float64; infinite where the rest does not move at all.

    Raises:
        ValueError: If there is no seam, one is out of range, or no place is away from all seams.
    """
    values = jerk(sequences)
    frames = sequences.shape[1]
    if not seams or not all(0 < seam < frames for seam in seams):
        raise ValueError(f'seams must be frame numbers in 1 … {frames - 1}, at least one; got {seams}')
    places = torch.arange(values.shape[1], device=values.device)
    firsts = torch.tensor(seams, device=values.device)
    # Entry i looks at frames i … i + 3, so it crosses the seam between s - 1 and s when i <= s - 1 and s <= i + 3.
    crossing = ((places[:, None] < firsts) & (firsts <= places[:, None] + JERK_ORDER)).any(1)
    if bool(crossing.all()):
        raise ValueError(f'every third difference of {frames} frames crosses one of the seams {seams}; '
                         'there is nothing to compare with')
    return values[:, crossing].mean(1) / values[:, ~crossing].mean(1)


def drift(sequences: Tensor, segments: int = 8) -> Tensor:
    """Distance of the mean code of every segment from that of the first.

    Args:
        sequences (Tensor): Shape (B, T, N).
        segments (int): Number of equal parts of the time axis, 2 … T; frames left over at the end are not used.

    Returns:
        Tensor: Shape (B, segments), float64; the first column is 0.

    Raises:
        ValueError: If the shape does not fit or the number of segments is out of range.
    """
    means = _segments(sequences, segments).mean(2)
    return (means - means[:, :1]).square().sum(-1).sqrt()


def spread(sequences: Tensor, segments: int = 8) -> Tensor:
    """Root mean square distance of the codes of a segment from their mean: falls when motion freezes.

    Args:
        sequences (Tensor): Shape (B, T, N).
        segments (int): Number of equal parts of the time axis, 1 … T; frames left over at the end are not used.

    Returns:
        Tensor: Shape (B, segments), float64.

    Raises:
        ValueError: If the shape does not fit or the number of segments is out of range.
    """
    parts = _segments(sequences, segments)
    return (parts - parts.mean(2, keepdim=True)).square().sum(-1).mean(2).sqrt()


def _segments(sequences: Tensor, segments: int) -> Tensor:
    """Shape (B, segments, frames, N), float64."""
    check_shape('sequences', sequences, (None, None, None))
    frames = sequences.shape[1]
    if not 1 <= segments <= frames:
        raise ValueError(f'segments must lie in 1 … {frames} (the number of frames), got {segments}')
    length = frames // segments
    return sequences.detach().double()[:, :length * segments].unflatten(1, (segments, length))
