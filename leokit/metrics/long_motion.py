"""Whether long motion holds up: the statistics of :mod:`leokit.metrics.motion_statistics`, segment by segment."""

import torch
from torch import Tensor

from leokit.metrics.motion_statistics import drift, jitter, seam_jerk_ratio, spread
from leokit.utils import check_shape


def long_motion(sequences: Tensor, seams: list[int], segments: int = 8) -> dict[str, Tensor]:
    """Statistics over the time of long sequences.

    Args:
        sequences (Tensor): Codes, shape (B, T, N).
        seams (list[int]): The first frame of every continued block; each in 1 … T - 1.
        segments (int): Equal parts of the time axis, at least 2, of four frames or more.

    Returns:
        dict[str, Tensor]: float64. By segment, shape (segments,), averaged over sequences: ``drift`` from the first,
        ``jitter``, ``spread``. Where there are seams, ``seam_jerk_ratio``, a scalar; 1 means that a seam cannot be
        told. ``recurrence``, a scalar: distance of each segment's course from the nearest other segment of its own
        sequence, over that from the nearest one of another sequence; well below 1 a sequence repeats itself. NaN for
        one sequence.

    Raises:
        ValueError: If a number is out of range.
    """
    check_shape('sequences', sequences, (None, None, None))
    length = sequences.shape[1] // segments
    parts = sequences[:, :length * segments].unflatten(1, (segments, length))  # (B, segments, length, N)
    joints = dict(seam_jerk_ratio=seam_jerk_ratio(sequences, seams).mean()) if seams else {}
    return dict(
        drift=drift(sequences, segments).mean(0),
        jitter=jitter(parts.flatten(0, 1)).unflatten(0, parts.shape[:2]).mean(0),
        spread=spread(sequences, segments).mean(0),
        **joints, recurrence=recurrence(parts))


def relative_long_motion(sequences: Tensor, real: Tensor, seams: list[int]) -> dict[str, Tensor]:
    """Statistics over the time of long sequences in units of real ones, in segments of the real ones' length.

    Args:
        sequences (Tensor): Codes, shape (B, T, N).
        real (Tensor): Real sequences, shape (M, L, N), 4 <= L <= T.
        seams (list[int]): The first frame of every continued block; may be empty.

    Returns:
        dict[str, Tensor]: float64. By segment, shape (T // L,): ``jitter`` and ``spread`` over those of real sequences
        (1 is right). With two segments or more also ``drift`` from the first segment in units of the real spread, and
        the scalars ``recurrence`` and, where there are seams, ``seam_jerk_ratio``; see :func:`long_motion`.

    Raises:
        ValueError: If a number is out of range.
    """
    check_shape('real', real, (None, None, None))
    length = real.shape[1]
    unit = dict(jitter=jitter(real).mean(), spread=spread(real, 1).mean())
    unit['drift'] = unit['spread']
    segments = sequences.shape[1] // length
    if segments < 2:
        whole = sequences[:, :length]
        found = dict(jitter=jitter(whole).mean()[None], spread=spread(whole, 1).mean(0))
    else:
        within = [seam for seam in seams if seam < segments * length]
        found = long_motion(sequences[:, :segments * length], within, segments)
    return {key: value / unit[key] if key in unit else value for key, value in found.items()}


def recurrence(parts: Tensor) -> Tensor:
    """How much nearer a segment is to others of its own sequence than to those of other sequences.

    Args:
        parts (Tensor): Segments, shape (B, segments, length, N), at least two segments.

    Returns:
        Tensor: Scalar, float64; mean over segments of the ratio of the two nearest distances, NaN for B = 1.

    Raises:
        ValueError: If there is one segment only.
    """
    check_shape('parts', parts, (None, None, None, None))
    batch, segments = parts.shape[:2]
    if segments < 2:
        raise ValueError('recurrence needs at least two segments, got 1')
    points = parts.detach().double().flatten(2).flatten(0, 1)
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    distances = distances / parts[0, 0].numel()**0.5
    owner = torch.arange(batch, device=parts.device).repeat_interleave(segments)
    same = owner[:, None] == owner
    itself = torch.eye(len(points), dtype=torch.bool, device=parts.device)
    own = distances.masked_fill(~same | itself, torch.inf).amin(1)
    other = distances.masked_fill(same, torch.inf).amin(1)
    return (own / other).mean() if batch > 1 else own.new_tensor(torch.nan)
