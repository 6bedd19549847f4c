"""ACD: average content distance, how much the content of a video (identity, clothes) changes between its frames.

    ACD = mean over pairs of frames i < j of |f_i - f_j|

with content features f of the frames: identity embeddings for faces, color statistics for bodies (Tulyakov et al.,
"MoCoGAN", CVPR 2018). Lower is more consistent, but a frozen video has an ACD of 0: compare it with that of real
videos, and with metrics of motion. ACD has no feature network of its own, so its key names the extractor, as in
``acd-dlib_identity``.

This module computes the distance of per-frame features. Where it is applied to videos:

- :mod:`leokit.evaluation.video_set_metrics`: ACD of folders of videos.
- :mod:`leokit.evaluation.runner_metrics.acd_metric`: ACD during validation and testing.

A frame without a detection has no feature (a row of NaN). It is left out and counted, and never enters as a vector of
zeros.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.utils import check_shape


class ContentDistance(NamedTuple):
    """Content distances of a batch of videos."""

    value: Tensor  # (B,) float64; NaN if fewer than two frames have a feature
    detected: Tensor  # (B,) int64: number of frames with a feature


def detected_frames(features: Tensor) -> Tensor:
    """Boolean mask (...) of the feature vectors (..., d) that exist; a missing detection contains NaN."""
    return torch.isfinite(features).all(-1)


def average_content_distance(features: Tensor, detected: Tensor | None = None) -> ContentDistance:
    """Mean pairwise Euclidean distance of the features of each video.

    Args:
        features (Tensor): Per-frame features, shape (B, T, d); NaN where nothing was detected.
        detected (Tensor, optional): Boolean mask, shape (B, T). Default: all frames with finite features.
    """
    check_shape('features', features, (None, None, None))
    detected = detected_frames(features) if detected is None else detected & detected_frames(features)
    check_shape('detected', detected, tuple(features.shape[:2]))
    points = torch.where(detected[..., None], features.detach().double(), 0)
    # Differences of vectors, not the Gram matrix, whose cancellation gives equal frames a distance of 1e-7.
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    pairs = (detected[:, :, None] & detected[:, None, :]).double()
    pairs = pairs - torch.diag_embed(detected.double())
    # 0 / 0 is NaN
    return ContentDistance((distances * pairs).sum((1, 2)) / pairs.sum((1, 2)), detected.sum(1))


def content_drift(features: Tensor, detected: Tensor | None = None) -> Tensor:
    """Distance of every frame's feature from the first frame's, which shows how content changes over a long video.

    Args:
        features (Tensor): Per-frame features, shape (B, T, d); NaN where nothing was detected.
        detected (Tensor, optional): Boolean mask, shape (B, T). Default: all frames with finite features.

    Returns:
        Tensor: Shape (B, T), float64; NaN if this frame or the first one has no feature.
    """
    check_shape('features', features, (None, None, None))
    detected = detected_frames(features) if detected is None else detected & detected_frames(features)
    points = features.detach().double()
    distances = (points - points[:, :1]).square().sum(-1).sqrt()
    return torch.where(detected & detected[:, :1], distances, torch.nan)
