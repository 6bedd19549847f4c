"""An image extractor on videos: features of every frame."""

import torch
from torch import Tensor, nn

from leokit.utils import check_shape

FRAMES_AT_ONCE = 64  # frames through an image extractor at a time; bounds memory, not the result


@torch.no_grad()
def frame_features(extractor: nn.Module, clips: Tensor) -> Tensor:
    """Features of every frame.

    Args:
        extractor (nn.Module): An image extractor.
        clips (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        Tensor: Shape (B, T, dim), float32; NaN where the extractor found nothing to describe.

    Raises:
        ValueError: If this is no image extractor.
    """
    check_shape('clips', clips, (None, None, 3, None, None))
    if extractor.kind != 'image':
        raise ValueError(f'per-frame features need an image extractor, got {extractor.label!r} of kind '
                         f'{extractor.kind!r}')
    parts = [extractor(frames) for frames in clips.flatten(0, 1).split(FRAMES_AT_ONCE)]
    return torch.cat(parts).float().unflatten(0, clips.shape[:2])
