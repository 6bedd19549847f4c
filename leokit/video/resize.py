"""Crop and resize 8-bit frames: the only place where decoded frames are brought to a model's resolution.

The evaluation crops alike (:func:`center_square`) but resizes in float on the device, with the filter of its protocol
(:mod:`leokit.evaluation.clip_preprocessing`).
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from leokit.utils import UserError

CROPS = ('center', 'none')


def check_crop(crop: str) -> None:
    """Raise a :class:`UserError` unless ``crop`` is one of ``CROPS``."""
    if crop not in CROPS:
        raise UserError(f'unknown crop {crop!r}; choose one of {", ".join(CROPS)}')


def center_square(frames: np.ndarray | Tensor) -> np.ndarray | Tensor:
    """The largest central square of frames (..., H, W, C): a view, or the frames themselves if they are square."""
    height, width = frames.shape[-3:-1]
    if height == width:
        return frames
    size = min(height, width)
    top, left = (height - size) // 2, (width - size) // 2
    return frames[..., top:top + size, left:left + size, :]


def fit_frames(frames: np.ndarray, size: int, *, crop: str = 'center') -> np.ndarray:
    """Crop frames to a square and resize them.

    Shrinking averages over the area of each new pixel (no aliasing); enlarging interpolates with a cubic.

    Args:
        frames (np.ndarray): uint8 frames, shape (T, H, W, 3).
        size (int): The new resolution S.
        crop (str): ``'center'`` keeps the largest central square; ``'none'`` squeezes the whole frame to a square.

    Returns:
        np.ndarray: uint8 frames, shape (T, S, S, 3); not a copy if there was nothing to do.
    """
    check_crop(crop)
    if crop == 'center':
        frames = center_square(frames)
    height, width = frames.shape[1:3]
    if (height, width) == (size, size):
        return frames
    interpolation = cv2.INTER_AREA if height >= size and width >= size else cv2.INTER_CUBIC
    resized = np.empty((len(frames), size, size, 3), np.uint8)
    for source, target in zip(frames, resized):
        cv2.resize(source, (size, size), dst=target, interpolation=interpolation)
    return resized


def to_channels_first(frames: np.ndarray) -> np.ndarray:
    """Move channels to the front: (T, H, W, 3) -> contiguous (T, 3, H, W)."""
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))


def fit_to_tensor(frames: np.ndarray, size: int, crop: str = 'center') -> Tensor:
    """uint8 frames (T, H, W, 3), made square and resized by :func:`fit_frames`, as a tensor (T, 3, S, S)."""
    return torch.from_numpy(to_channels_first(fit_frames(frames, size, crop=crop)))
