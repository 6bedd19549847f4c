"""Bringing frames to the training size: the one place where pixels are cropped and resized on the way in."""

import numpy as np

from leokit.utils import UserError

CROPS = ('center', 'none')


def check_crop(crop: str) -> None:
    """Raise a :class:`UserError` unless ``crop`` is one of ``CROPS``."""
    if crop not in CROPS:
        raise UserError(f'unknown crop {crop!r}; choose one of {", ".join(CROPS)}')


def fit_frames(frames: np.ndarray, size: int, *, crop: str = 'center') -> np.ndarray:
    """Crop frames to a square and resize them.

    Shrinking averages over the area of each new pixel (no aliasing); enlarging interpolates with a cubic.

    Args:
        frames (np.ndarray): uint8 frames, shape (T, H, W, 3).
        size (int): The new side S.
        crop (str): ``'center'`` cuts the largest square out of the middle; ``'none'`` keeps the whole frame and
            squeezes it to a square.

    Returns:
        np.ndarray: uint8 frames, shape (T, S, S, 3); not a copy if there was nothing to do.

    Raises:
        UserError: If ``crop`` is unknown.
    """
    import cv2
    check_crop(crop)
    height, width = frames.shape[1:3]
    if crop == 'center' and height != width:
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        frames = frames[:, top:top + side, left:left + side]
        height = width = side
    if (height, width) == (size, size):
        return frames
    filter_ = cv2.INTER_AREA if height >= size and width >= size else cv2.INTER_CUBIC
    resized = np.empty((len(frames), size, size, 3), np.uint8)
    for source, target in zip(frames, resized):
        cv2.resize(source, (size, size), dst=target, interpolation=filter_)
    return resized


def to_channels_first(frames: np.ndarray) -> np.ndarray:
    """Move channels to the front: (T, H, W, 3) -> contiguous (T, 3, H, W)."""
    return np.ascontiguousarray(frames.transpose(0, 3, 1, 2))
