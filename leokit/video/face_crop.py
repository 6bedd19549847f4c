"""Boxes in whole pixels, and the pixels in them; :mod:`leokit.croppers` has the conventions of cropping to faces."""

from typing import Any, NamedTuple

import numpy as np

from leokit.utils import UserError
from leokit.video.resize import fit_frames


class CropBox(NamedTuple):
    """A box in whole pixels; ``right`` and ``bottom`` are excluded. It may reach beyond the frame."""

    left: int
    top: int
    right: int
    bottom: int


def center_box(width: int, height: int) -> CropBox:
    """The largest central square of a frame."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return CropBox(left, top, left + side, top + side)


def crop_frames(frames: np.ndarray, box: CropBox, size: int | None = None) -> np.ndarray:
    """Crop frames to a box; pixels beyond the frame are black.

    Args:
        frames (np.ndarray): uint8 frames, shape (T, H, W, 3).
        box (CropBox): The box, partly inside the frame.
        size (int, optional): Resolution S of the result, reached as in :func:`~leokit.video.resize.fit_frames`.
            Default: the pixels as they are.

    Returns:
        np.ndarray: uint8 frames, shape (T, S, S, 3).
    """
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or len(frames) == 0:
        raise ValueError(f'frames must be uint8 of shape (T, H, W, 3) with T > 0, got {frames.dtype} {frames.shape}')
    height, width = frames.shape[1:3]
    if not (box.left < min(box.right, width) and box.top < min(box.bottom, height)
            and box.right > 0 and box.bottom > 0):
        raise UserError(f'the crop {tuple(box)} (left, top, right, bottom) has no pixel of the frames, which have '
                        f'{width}x{height}; pass a box inside them')
    left, top, right, bottom = max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height)
    cropped = np.zeros((len(frames), box.bottom - box.top, box.right - box.left, 3), np.uint8)
    cropped[:, top - box.top:bottom - box.top, left - box.left:right - box.left] = frames[:, top:bottom, left:right]
    return cropped if size is None else fit_frames(cropped, size, crop='none')


def __getattr__(name: str) -> Any:
    if name in ('FACE_CROPS', 'face_crop_box'):  # deprecated
        from leokit.feature_extractors import face_input
        return getattr(face_input, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
