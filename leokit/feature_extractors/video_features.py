"""From an extractor and clips to one feature vector a clip: what Fréchet and kernel video distances are taken of.

A *video* extractor (I3D) gives the vector itself. An *image* extractor gives one vector a frame; the clip's vector is
then the mean over frames, followed by the mean absolute difference of successive frames, so that it knows appearance
and, coarsely, motion. Such a feature is a stand-in: its label ends in ``_dt``, and its scores compare with nothing
that was measured with I3D.
"""

import torch
from torch import Tensor, nn

from leokit.feature_extractors.per_frame import frame_features
from leokit.utils import check_shape

SUMMARY_SUFFIX = '_dt'


def video_label(extractor: nn.Module) -> str:
    """Name of the clip feature: the extractor's label, with ``_dt`` when frames are summarized."""
    return extractor.label if extractor.kind == 'video' else extractor.label + SUMMARY_SUFFIX


def video_dim(extractor: nn.Module) -> int:
    """Length of the clip feature."""
    return extractor.dim if extractor.kind == 'video' else 2 * extractor.dim


def temporal_summary(features: Tensor) -> Tensor:
    """Per-frame features to one vector a clip.

    Args:
        features (Tensor): Shape (B, T, d), T >= 2.

    Returns:
        Tensor: Shape (B, 2 d), float32: mean over frames, then mean absolute difference of successive frames.

    Raises:
        ValueError: If there is only one frame.
    """
    check_shape('features', features, (None, None, None))
    if features.shape[1] < 2:
        raise ValueError('temporal differences need at least two frames, got 1')
    features = features.double()  # the order of summation must not show
    return torch.cat([features.mean(1), features.diff(dim=1).abs().mean(1)], dim=1).float()


@torch.no_grad()
def video_features(extractor: nn.Module, clips: Tensor) -> Tensor:
    """One feature vector a clip.

    Args:
        extractor (nn.Module): A video or an image extractor.
        clips (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        Tensor: Shape (B, :func:`video_dim`), float32.
    """
    check_shape('clips', clips, (None, None, 3, None, None))
    if extractor.kind == 'video':
        return extractor(clips).float()
    return temporal_summary(frame_features(extractor, clips))
