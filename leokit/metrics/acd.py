"""Average content distance: how much a video's content (identity, clothes) changes from frame to frame.

ACD (Tulyakov, Liu, Yang and Kautz, MoCoGAN, 2018) is the mean Euclidean distance over all pairs of frames of a video
of their content features: an identity embedding for faces, color statistics for bodies. Lower is steadier, and a
frozen video scores 0, so it is read next to a measure of motion, and next to the real videos' own value.

A frame without a detection has no feature. It is left out and counted; it never enters as a zero vector.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape


class ContentDistance(NamedTuple):
    """Content distances of a batch of videos."""

    value: Tensor  # (B,) float64; NaN where fewer than two frames have a feature
    detected: Tensor  # (B,) int64: frames with a feature


def detected_frames(features: Tensor) -> Tensor:
    """Which feature vectors exist: a missing detection is a vector with NaN.

    Args:
        features (Tensor): Shape (..., d).

    Returns:
        Tensor: Boolean, shape (...).
    """
    return torch.isfinite(features).all(-1)


def average_content_distance(features: Tensor, detected: Tensor | None = None) -> ContentDistance:
    """Mean pairwise Euclidean distance of per-frame features, for each video.

    Args:
        features (Tensor): Per-frame features, shape (B, T, d); NaN where nothing was detected.
        detected (Tensor, optional): Boolean mask, shape (B, T). Default: the frames whose features are finite.

    Returns:
        ContentDistance: One value and one count per video.

    Raises:
        ValueError: If the shapes do not fit.
    """
    check_shape('features', features, (None, None, None))
    detected = detected_frames(features) if detected is None else detected & detected_frames(features)
    check_shape('detected', detected, tuple(features.shape[:2]))
    points = torch.where(detected[..., None], features.detach().double(), 0)
    # Differences one by one, not by the Gram matrix: its cancellation would give equal frames a distance of 1e-7.
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    pairs = (detected[:, :, None] & detected[:, None, :]).double()
    pairs = pairs - torch.diag_embed(detected.double())
    number = pairs.sum((1, 2))
    value = torch.where(number > 0, (distances * pairs).sum((1, 2)) / number.clamp(min=1), torch.nan)
    return ContentDistance(value, detected.sum(1))


def content_drift(features: Tensor, detected: Tensor | None = None) -> Tensor:
    """Distance of every frame's feature from the first frame's: how content changes over a long video.

    Args:
        features (Tensor): Per-frame features, shape (B, T, d); NaN where nothing was detected.
        detected (Tensor, optional): Boolean mask, shape (B, T). Default: the frames whose features are finite.

    Returns:
        Tensor: Shape (B, T), float64; NaN where this frame or the first has no feature.
    """
    check_shape('features', features, (None, None, None))
    detected = detected_frames(features) if detected is None else detected & detected_frames(features)
    distances = (features.detach().double() - features[:, :1].detach().double()).square().sum(-1).sqrt()
    return torch.where(detected & detected[:, :1], distances, torch.nan)
