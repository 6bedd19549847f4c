"""Statistics of motion sequences: motion codes, or landmarks flattened to a vector.

No single one shows that motion is realistic; each detects one kind of failure. A model that ignores its noise has no
diversity, frame-wise noise has jitter, motion that moves away from the data has drift, motion that freezes loses
dispersion, and a sequence generated window by window may have visible window boundaries. Compare each value with that
of the same number of real sequences.
"""

import torch
from einops import rearrange
from torch import Tensor

from leokit.utils import check_shape

JERK_ORDER = 3  # order of the difference that measures jitter; constant acceleration has none


def diversity(sequences: Tensor) -> Tensor:
    """Mean pairwise distance of sequences generated from the same start.

    The distance of two sequences is the Euclidean distance of their codes at the same time, averaged over time.

    Args:
        sequences (Tensor): Shape (G, K, T, N): G starts, K >= 2 sequences from each.

    Returns:
        Tensor: Shape (G,), float64.
    """
    check_shape('sequences', sequences, (None, None, None, None))
    number = sequences.shape[1]
    if number < 2:
        raise ValueError('diversity needs at least two sequences from each start, got 1')
    points = rearrange(sequences.detach().double(), 'g k t n -> g t k n')
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    return distances.sum((-2, -1)).mean(1) / (number * (number - 1))


def jerk(sequences: Tensor) -> Tensor:
    """Norm of the third difference over time.

    Args:
        sequences (Tensor): Shape (B, T, N), T >= 4.

    Returns:
        Tensor: Shape (B, T - 3), float64; entry i spans the frames i … i + 3.
    """
    check_shape('sequences', sequences, (None, None, None))
    if sequences.shape[1] <= JERK_ORDER:
        raise ValueError(f'a third difference needs at least {JERK_ORDER + 1} frames, got {sequences.shape[1]}')
    return sequences.detach().double().diff(n=JERK_ORDER, dim=1).square().sum(-1).sqrt()


def jitter(sequences: Tensor) -> Tensor:
    """Mean norm of the third difference of sequences (B, T, N); shape (B,), float64."""
    return jerk(sequences).mean(1)


def boundary_jerk_ratio(sequences: Tensor, boundaries: list[int]) -> Tensor:
    """Jerk across window boundaries over jerk elsewhere; 1 means that boundaries are indistinguishable.

    Args:
        sequences (Tensor): Shape (B, T, N).
        boundaries (list[int]): First frame of every window but the first; at least one, each in 1 … T - 1.

    Returns:
        Tensor: Shape (B,), float64; infinite where there is no motion away from the boundaries.
    """
    values = jerk(sequences)
    frames = sequences.shape[1]
    if not boundaries or not all(0 < boundary < frames for boundary in boundaries):
        raise ValueError(f'boundaries must be frame numbers in 1 … {frames - 1}, at least one; got {boundaries}')
    index = torch.arange(values.shape[1], device=values.device)
    firsts = torch.tensor(boundaries, device=values.device)
    # Entry i spans frames i … i + 3; it crosses the boundary between s - 1 and s when i <= s - 1 and s <= i + 3.
    crosses = ((index[:, None] < firsts) & (firsts <= index[:, None] + JERK_ORDER)).any(1)
    if bool(crosses.all()):
        raise ValueError(f'every third difference of {frames} frames crosses one of the boundaries {boundaries}; '
                         'there is nothing to compare with')
    return values[:, crosses].mean(1) / values[:, ~crosses].mean(1)


def dispersion(sequences: Tensor, segments: int = 8) -> Tensor:
    """Root mean square distance of the codes of a segment from their mean; falls when motion freezes.

    Args:
        sequences (Tensor): Shape (B, T, N).
        segments (int): Number of equal parts of the time axis, 1 … T; a remainder at the end is ignored.

    Returns:
        Tensor: Shape (B, segments), float64.
    """
    parts = _split(sequences, segments)
    return (parts - parts.mean(2, keepdim=True)).square().sum(-1).mean(2).sqrt()


def drift(sequences: Tensor, segments: int = 8) -> Tensor:
    """Distance of the mean code of every segment from the first segment's; arguments as in :func:`dispersion`."""
    means = _split(sequences, segments).mean(2)
    return (means - means[:, :1]).square().sum(-1).sqrt()


def _split(sequences: Tensor, segments: int) -> Tensor:
    """Segments, float64, shape (B, segments, length, N)."""
    check_shape('sequences', sequences, (None, None, None))
    frames = sequences.shape[1]
    if not 1 <= segments <= frames:
        raise ValueError(f'segments must be in 1 … {frames} (the number of frames), got {segments}')
    length = frames // segments
    return rearrange(sequences.detach().double()[:, :length * segments], 'b (s t) n -> b s t n', s=segments)
