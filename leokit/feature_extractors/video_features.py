"""Applying an extractor to clips: one feature vector per frame, or per clip as FVD and KVD need it.

A *video* extractor (I3D) returns the vector of a clip. An *image* extractor returns one vector per frame; the vector of
the clip is then the mean over frames, concatenated with the mean absolute difference of successive frames, so that it
describes appearance and, coarsely, motion. Such a feature is a substitute for I3D: its label ends in ``_dt``, and its
scores do not compare with scores of I3D.
"""

import torch
from einops import rearrange
from torch import Tensor, nn

from leokit.utils import check_shape

SUMMARY_SUFFIX = '_dt'
FRAMES_AT_ONCE = 64  # frames per call of an image extractor; bounds memory, does not change the result


def video_label(extractor: nn.Module) -> str:
    """Label of the clip feature: the extractor's, with ``_dt`` if frames are summarized."""
    return extractor.label if extractor.kind == 'video' else extractor.label + SUMMARY_SUFFIX


def video_dim(extractor: nn.Module) -> int:
    """Length of the clip feature."""
    return extractor.dim if extractor.kind == 'video' else 2 * extractor.dim


@torch.no_grad()
def frame_features(extractor: nn.Module, clips: Tensor) -> Tensor:
    """Features of every frame.

    Args:
        extractor (nn.Module): An image extractor.
        clips (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        Tensor: Shape (B, T, dim), float32; NaN where the extractor detected nothing.
    """
    check_shape('clips', clips, (None, None, 3, None, None))
    if extractor.kind != 'image':
        raise ValueError(f'per-frame features need an image extractor, got {extractor.label!r} of kind '
                         f'{extractor.kind!r}')
    frames = rearrange(clips, 'b t c h w -> (b t) c h w')
    features = torch.cat([extractor(part) for part in frames.split(FRAMES_AT_ONCE)]).float()
    return rearrange(features, '(b t) d -> b t d', b=len(clips))


def temporal_summary(features: Tensor) -> Tensor:
    """Mean over frames, then mean absolute difference of successive frames.

    Args:
        features (Tensor): Shape (B, T, d), T >= 2.

    Returns:
        Tensor: Shape (B, 2 d), float32.
    """
    check_shape('features', features, (None, None, None))
    if features.shape[1] < 2:
        raise ValueError('temporal differences need at least two frames, got 1')
    features = features.double()  # makes the float32 result independent of the order of summation
    return torch.cat([features.mean(1), features.diff(dim=1).abs().mean(1)], dim=1).float()


@torch.no_grad()
def video_features(extractor: nn.Module, clips: Tensor) -> Tensor:
    """One feature vector per clip.

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
