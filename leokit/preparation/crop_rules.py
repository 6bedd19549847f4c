"""How each dataset turns a box of its metadata into the crop of a clip, in pixels of the file at hand.

The frame of the file may have another resolution than the one the metadata refers to, and boxes may reach beyond it.
"""

import math
from fractions import Fraction
from typing import Callable, NamedTuple

import numpy as np

from leokit.croppers.box_croppers import with_margin
from leokit.preparation.clip_record import MetadataBox
from leokit.video.face_crop import CropBox
from leokit.video.readers import VideoHandle

MIN_INSIDE = Fraction(1, 2)  # of a box's area; less is a box of another video
MAX_ASPECT_CHANGE = 0.03  # relative; 16:9 at odd sizes differs by less, bars added or cut differ by more
SLACK = 2  # pixels by which rounding may move a box of unknown resolution beyond the frame
VOXCELEB_MARGIN = 0.1  # of the box
CELEBV_MARGIN = Fraction(2, 100)  # of the frame
MASK_THRESHOLD = 5.0  # mean over a row or column of the sum of the inverted channels
MASK_FRAMES = 16  # decoded at a time


class CropError(Exception):
    """A clip that cannot be cropped; ``reason`` is one of those in reports."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class FrameSize(NamedTuple):
    """Size of a frame as it is shown."""

    width: int
    height: int


def stated_box(box: MetadataBox, frame: FrameSize) -> CropBox:
    """The box itself, cut off at the frame, as the loader of the First Order Motion Model takes it."""
    left, right = (math.floor(side) for side in _scaled(box.left, box.right, box, frame, 0))
    top, bottom = (math.floor(side) for side in _scaled(box.top, box.bottom, box, frame, 1))
    _check_inside(left, top, right, bottom, frame, whole=box.reference is None)
    return CropBox(max(left, 0), max(top, 0), min(right, frame.width), min(bottom, frame.height))


def celebv_hq_box(box: MetadataBox, frame: FrameSize) -> CropBox:
    """The largest central square of the box, after its sides were moved out by 2 % of the frame."""
    left, right = _scaled(box.left, box.right, box, frame, 0)
    top, bottom = _scaled(box.top, box.bottom, box, frame, 1)
    _check_inside(left, top, right, bottom, frame, whole=False)
    left, right = (_round(side) for side in _moved_out(left, right, frame.width))
    top, bottom = (_round(side) for side in _moved_out(top, bottom, frame.height))
    half = min(right - left, bottom - top) // 2
    x, y = (left + right) // 2, (top + bottom) // 2
    return CropBox(x - half, y - half, x + half, y + half)


def voxceleb_box(box: MetadataBox, frame: FrameSize) -> CropBox:
    """The square of FOMM's preprocessing of VoxCeleb: a margin of 0.1, refused where it leaves the frame.

    A reference of width 0 gives the height alone, with frames of any shape.
    """
    if box.reference is not None and box.reference[0] == 0:
        scale = Fraction(frame.height, box.reference[1])
        sides = [side * scale for side in box[:4]]
    else:
        left, right = _scaled(box.left, box.right, box, frame, 0)
        top, bottom = _scaled(box.top, box.bottom, box, frame, 1)
        sides = [left, top, right, bottom]
    margins = (VOXCELEB_MARGIN, VOXCELEB_MARGIN)
    left, top, right, bottom = (math.floor(side + 0.5) for side in with_margin(np.array(sides, np.float64), margins))
    if left < 0 or top < 0 or right > frame.width or bottom > frame.height:
        raise CropError('crop outside the frame', f'with its margin: left {left}, top {top}, right {right}, bottom '
                                                  f'{bottom} in a frame of {frame.width}x{frame.height}')
    return CropBox(left, top, right, bottom)


def mask_box(mask: VideoHandle) -> CropBox:
    """The square around the dark area of all frames of a mask video (TGAN2, StyleGAN-V), moved into the frame.

    Their code takes one such square a frame, which shakes, or one for the video; this is the latter.
    """
    columns = rows = None
    for frames in mask.chunks(MASK_FRAMES):
        inverted = (255 - frames).sum(axis=3, dtype=np.float64)
        wide, tall = ((inverted.mean(axis=axis) > MASK_THRESHOLD).any(axis=0) for axis in (1, 2))
        columns = wide if columns is None else columns | wide
        rows = tall if rows is None else rows | tall
    if columns is None or not columns.any() or not rows.any():
        raise CropError('no face', 'the mask is empty')
    (left, right), (top, bottom) = (np.flatnonzero(line)[[0, -1]].tolist() for line in (columns, rows))
    side = min(max(right - left, bottom - top, 1), len(columns), len(rows))
    x, y = ((low + high - side) // 2 for low, high in ((left, right), (top, bottom)))
    x, y = min(max(x, 0), len(columns) - side), min(max(y, 0), len(rows) - side)
    return CropBox(x, y, x + side, y + side)


CROP_RULES: dict[str, Callable[[MetadataBox, FrameSize], CropBox]] = {
    'stated_box': stated_box, 'celebv_hq': celebv_hq_box, 'voxceleb': voxceleb_box}


def _scaled(low: Fraction, high: Fraction, box: MetadataBox, frame: FrameSize, axis: int) -> tuple[Fraction, Fraction]:
    """Two sides of a box along an axis (0 is x) in pixels of the frame."""
    if box.reference is None:
        return low, high
    if box.reference != (1, 1):
        change = Fraction(frame.width * box.reference[1], frame.height * box.reference[0])
        if abs(float(change) - 1) > MAX_ASPECT_CHANGE:
            raise CropError('other aspect ratio', f'the box refers to {box.reference[0]}x{box.reference[1]}, the '
                                                    f'video has {frame.width}x{frame.height}')
    scale = Fraction(frame[axis], box.reference[axis])
    return low * scale, high * scale


def _check_inside(left: Fraction, top: Fraction, right: Fraction, bottom: Fraction, frame: FrameSize, *,
                  whole: bool) -> None:
    """Refuse boxes that are mostly, or with ``whole`` at all, outside of the frame."""
    inside = (max(min(right, frame.width) - max(left, 0), 0) * max(min(bottom, frame.height) - max(top, 0), 0)
              / Fraction((right - left) * (bottom - top) or 1))
    beyond = max(-left, -top, right - frame.width, bottom - frame.height)
    if inside < MIN_INSIDE or (whole and beyond > SLACK):
        raise CropError('crop outside the frame',
                          f'left {float(left):g}, top {float(top):g}, right {float(right):g}, bottom {float(bottom):g} '
                          f'in a frame of {frame.width}x{frame.height}')


def _moved_out(low: Fraction, high: Fraction, length: int) -> tuple[Fraction, Fraction]:
    return max(low - CELEBV_MARGIN * length, 0), min(high + CELEBV_MARGIN * length, length)


def _round(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))
