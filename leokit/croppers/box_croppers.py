"""Croppers by the box of a face or person; of a clip, by the box around the face in all frames."""

from typing import Sequence

import numpy as np

from leokit.croppers.base import Cropper, CropRegion, moved_inside, union_box
from leokit.registry import CROPPERS
from leokit.utils.detections import Detection

OUTSIDE = ('move', 'pad')


@CROPPERS.register_module()
class SquareCropper(Cropper):
    """A square around the box.

    Args:
        scale (float): Side relative to the longer side of the box.
        shift (float): Down from the center of the box, relative to the side of the square.
        outside (str): A square that reaches beyond the frame is moved into it (``'move'``), or padded
            (``'pad'``).
    """

    def __init__(self, scale: float, shift: float = 0.0, outside: str = 'move') -> None:
        if scale <= 0 or outside not in OUTSIDE:
            raise ValueError(f'scale must be positive and outside one of {", ".join(OUTSIDE)}, got {scale}, '
                             f'{outside!r}')
        self.scale = scale
        self.shift = shift
        self.outside = outside

    def region(self, faces: Sequence[Detection], frame_size: tuple[int, int]) -> CropRegion:
        left, top, right, bottom = union_box(faces)
        side = self.scale * max(right - left, bottom - top)
        x, y = (left + right) / 2, (top + bottom) / 2 + self.shift * side
        if self.outside == 'move':
            x, y = moved_inside(x, side, frame_size[1]), moved_inside(y, side, frame_size[0])
        return CropRegion(x, y, side, side)


@CROPPERS.register_module()
class MarginCropper(Cropper):
    """A margin around the box, cut at the border of the frame; what is not square then is squeezed.

    Args:
        margin (float | Sequence[float]): On each side, relative to the side of the box (``increase_area`` of FOMM); or
            left and right, and above and below.
        square (bool): Enlarge the shorter side until the region is square, as FOMM's ``crop-video.py`` does. The boxes
            of VoxCeleb as published with FOMM are not square.
    """

    def __init__(self, margin: float | Sequence[float] = 0.1, square: bool = True) -> None:
        margins = (margin, margin) if isinstance(margin, (int, float)) else tuple(margin)
        if len(margins) != 2 or min(margins) < 0 or (square and margins[0] != margins[1]):
            raise ValueError(f'margin must be a number from 0, or two of a crop that is not square, got {margin}')
        self.margins = margins
        self.square = square

    def region(self, faces: Sequence[Detection], frame_size: tuple[int, int]) -> CropRegion:
        box = with_margin(union_box(faces), self.margins, square=self.square)
        return _region(np.clip(box, 0, (frame_size[1], frame_size[0]) * 2))


@CROPPERS.register_module()
class LIAXCropper(Cropper):
    """The crop of LIA-X: FOMM's margin, larger at the top; of it the central square, moved into the frame.

    Args:
        margin (float): See :class:`MarginCropper`.
        top (float): Factor on the margin at the top.
    """

    def __init__(self, margin: float = 0.25, top: float = 1.5) -> None:
        if margin < 0 or top < 0:
            raise ValueError(f'margin and top must not be negative, got {margin}, {top}')
        self.margin = margin
        self.top = top

    def region(self, faces: Sequence[Detection], frame_size: tuple[int, int]) -> CropRegion:
        height, width = frame_size
        box = with_margin(union_box(faces), (self.margin, self.margin), top=self.top)
        x, y, across, down, _ = _region(np.clip(box, 0, (width, height) * 2))
        side = min(across, down)
        return CropRegion(moved_inside(x, side, width), moved_inside(y, side, height), side, side)


def with_margin(box: np.ndarray, margins: tuple[float, float], *, square: bool = True, top: float = 1.0) -> np.ndarray:
    """A box (left, top, right, bottom) with FOMM's margin, relative to its sides.

    Args:
        box (np.ndarray): Shape (4,).
        margins (tuple[float, float]): Left and right, and above and below.
        square (bool): Enlarge the margin of the shorter side so that the box becomes square.
        top (float): Factor on the margin at the top.
    """
    left, upper, right, bottom = box
    width, height = right - left, bottom - upper
    across, down = margins
    if square:
        across, down = (max(across, ((1 + 2 * across) * height - width) / (2 * width)),
                        max(down, ((1 + 2 * down) * width - height) / (2 * height)))
    return np.array((left - across * width, upper - top * down * height, right + across * width,
                     bottom + down * height))


def _region(box: np.ndarray) -> CropRegion:
    left, top, right, bottom = map(float, box)
    return CropRegion((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
