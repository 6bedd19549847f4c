"""Conversion of pixels between uint8 in [0, 255], as in files, and float in [-1, 1], as in models.

Values are clamped and rounded, never rescaled to the range of an image.
"""

import torch
from torch import Tensor

from leokit.utils.errors import UserError

HALF_RANGE = 127.5  # 0 and 255 map to -1 and 1


def to_uint8(frames: Tensor) -> Tensor:
    """Clamp frames to [-1, 1] and round them to bytes.

    Args:
        frames (Tensor): Floating-point pixels in [-1, 1], any shape.

    Returns:
        Tensor: uint8 of the same shape, on the same device.
    """
    if not frames.is_floating_point():
        raise ValueError(f'frames must be floating point in [-1, 1], got {frames.dtype}')
    frames = frames.float()
    check_no_nan(bool(torch.isnan(frames).any()))
    return round_to_uint8(frames)


def check_no_nan(has_nan: bool) -> None:
    """Raise a :class:`UserError` if frames of a model have NaN."""
    if has_nan:
        raise UserError('the model generates frames with NaN; use a checkpoint from before its training diverged')


def round_to_uint8(frames: Tensor) -> Tensor:
    """:func:`to_uint8` of float32 frames without its check for NaN, which waits for the device."""
    return frames.clamp(-1, 1).add(1).mul(HALF_RANGE).round().to(torch.uint8)


def from_uint8(frames: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Convert uint8 pixels of any shape to floating point in [-1, 1]; :func:`to_uint8` is the inverse."""
    if frames.dtype != torch.uint8:
        raise ValueError(f'frames must be uint8, got {frames.dtype}')
    return frames.to(dtype).div(HALF_RANGE).sub(1)
