"""Statistics of long motion over time: :mod:`leokit.metrics.motion_statistics` for each segment of a sequence."""

import torch
from einops import rearrange
from torch import Tensor

from leokit.metrics.motion_statistics import boundary_jerk_ratio, dispersion, drift, jitter
from leokit.utils import check_shape


def long_motion(sequences: Tensor, boundaries: list[int], segments: int = 8) -> dict[str, Tensor]:
    """Statistics of long sequences by segment.

    Args:
        sequences (Tensor): Codes, shape (B, T, N).
        boundaries (list[int]): First frame of every window but the first, each in 1 … T - 1; may be empty.
        segments (int): Equal parts of the time axis, at least 2, of four frames or more.

    Returns:
        dict[str, Tensor]: float64. ``drift`` from the first segment, ``jitter`` and ``dispersion``, averaged over
        sequences, shape (segments,). Scalars: ``boundary_jerk_ratio`` if there are boundaries, and ``recurrence``.
    """
    check_shape('sequences', sequences, (None, None, None))
    length = sequences.shape[1] // segments
    parts = rearrange(sequences[:, :length * segments], 'b (s t) n -> b s t n', s=segments)
    ratio = dict(boundary_jerk_ratio=boundary_jerk_ratio(sequences, boundaries).mean()) if boundaries else {}
    return dict(
        drift=drift(sequences, segments).mean(0),
        jitter=rearrange(jitter(rearrange(parts, 'b s t n -> (b s) t n')), '(b s) -> b s', s=segments).mean(0),
        dispersion=dispersion(sequences, segments).mean(0),
        **ratio, recurrence=recurrence(parts))


def relative_long_motion(sequences: Tensor, real: Tensor, boundaries: list[int]) -> dict[str, Tensor]:
    """Statistics of long sequences relative to those of real sequences, in segments as long as the real ones.

    Args:
        sequences (Tensor): Codes, shape (B, T, N).
        real (Tensor): Real sequences, shape (M, L, N), 4 <= L <= T.
        boundaries (list[int]): First frame of every window but the first; may be empty.

    Returns:
        dict[str, Tensor]: float64. ``jitter`` and ``dispersion`` over those of the real sequences (1 is realistic),
        shape (T // L,). With two segments or more also ``drift`` in units of the real dispersion, and the scalars of
        :func:`long_motion`.
    """
    check_shape('real', real, (None, None, None))
    length = real.shape[1]
    unit = dict(jitter=jitter(real).mean(), dispersion=dispersion(real, 1).mean())
    unit['drift'] = unit['dispersion']
    segments = sequences.shape[1] // length
    if segments < 2:
        whole = sequences[:, :length]
        values = dict(jitter=jitter(whole).mean()[None], dispersion=dispersion(whole, 1).mean(0))
    else:
        within = [boundary for boundary in boundaries if boundary < segments * length]
        values = long_motion(sequences[:, :segments * length], within, segments)
    return {key: value / unit[key] if key in unit else value for key, value in values.items()}


def recurrence(parts: Tensor) -> Tensor:
    """Distance of a segment from the nearest other segment of its sequence, over that to any other sequence.

    Well below 1, sequences repeat themselves.

    Args:
        parts (Tensor): Segments, shape (B, segments, length, N), at least two segments.

    Returns:
        Tensor: Mean over segments of the ratio of the two nearest distances, float64 scalar; NaN for B = 1.
    """
    check_shape('parts', parts, (None, None, None, None))
    batch, segments = parts.shape[:2]
    if segments < 2:
        raise ValueError('recurrence needs at least two segments, got 1')
    points = rearrange(parts.detach().double(), 'b s t n -> (b s) (t n)')
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    distances = distances / parts[0, 0].numel()**0.5
    sequence = torch.arange(batch, device=parts.device).repeat_interleave(segments)
    same_sequence = sequence[:, None] == sequence
    same_segment = torch.eye(len(points), dtype=torch.bool, device=parts.device)
    own = distances.masked_fill(~same_sequence | same_segment, torch.inf).amin(1)
    other = distances.masked_fill(same_sequence, torch.inf).amin(1)
    return (own / other).mean() if batch > 1 else own.new_tensor(torch.nan)
