"""Square crops around faces: geometry and pixels, without a detector.

A crop is static: one square for all frames of a clip, so the face moves within it as in the training videos.
"""

import math
from typing import NamedTuple

import numpy as np

from leokit.utils import UserError
from leokit.video.resize import fit_frames


class FaceCrop(NamedTuple):
    """A convention of cropping.

    Attributes:
        name (str): The data or project that crops like this.
        scale (float): Side of the square, relative to the longer side of the box around the faces of the clip.
    """

    name: str
    scale: float


FACE_CROPS = {
    'face': FaceCrop('VoxCeleb as prepared for FOMM: a margin of 0.1 on each side', 1 + 2 * 0.1),
    'face_wide': FaceCrop('FLOAT: 1.6 half sides around the center', 1.6),
}


class CropBox(NamedTuple):
    """A box in whole pixels; ``right`` and ``bottom`` are excluded. It may reach beyond the frame."""

    left: int
    top: int
    right: int
    bottom: int


def face_crop_box(boxes: np.ndarray, frame_size: tuple[int, int], crop: FaceCrop = FACE_CROPS['face']) -> CropBox:
    """The square around all faces of a clip.

    It is centered at the union of the boxes, then moved as far as needed to lie in the frame. A square that is larger
    than the frame is moved to contain it.

    Args:
        boxes (np.ndarray): Left, top, right, bottom in pixels, right and bottom excluded; shape (T, 4) or (4,).
        frame_size (tuple[int, int]): Height and width of the frames.
        crop (FaceCrop): The convention.
    """
    boxes = np.asarray(boxes, np.float64)
    if boxes.shape[-1:] != (4,) or boxes.ndim > 2 or boxes.size == 0:
        raise ValueError(f'boxes must have shape (T, 4) or (4,) with T > 0, got {boxes.shape}')
    boxes = boxes.reshape(-1, 4)
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
        raise ValueError(f'boxes must be finite with left < right and top < bottom, got {boxes.tolist()}')
    height, width = frame_size
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise ValueError(f'the boxes lie outside the frame of {width}x{height} pixels: {boxes.tolist()}')
    size = max(_round(crop.scale * max(right - left, bottom - top)), 1)
    x, y = (_moved_inside(_round((low + high - size) / 2), size, length)
            for low, high, length in ((left, right, width), (top, bottom, height)))
    return CropBox(x, y, x + size, y + size)


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


def _moved_inside(start: int, size: int, length: int) -> int:
    """Start of an interval after the shortest move into ``[0, length]``, or around it if the interval is longer."""
    low, high = sorted((0, length - size))
    return min(max(start, low), high)


def _round(value: float) -> int:
    return math.floor(value + 0.5)
