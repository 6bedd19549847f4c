"""The region of a frame that becomes the square image of a model, and the base class of what chooses it."""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple, Sequence

import numpy as np

from leokit.utils.detections import Detection
from leokit.video.face_crop import CropBox


class CropRegion(NamedTuple):
    """A rectangle in a frame, in pixels; (0, 0) is the corner of the frame. It may reach beyond the frame.

    Attributes:
        x, y (float): Center.
        width, height (float): Its sides; unequal ones are squeezed to a square.
        angle (float): By which the rectangle is turned clockwise, in radians.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    def to_frame(self, width: int, height: int | None = None) -> np.ndarray:
        """The affine map (2, 3) from pixels of an image of the region to pixels of the frame.

        Pixel centers have integer coordinates on both sides, x first.

        Args:
            width (int): Of the image.
            height (int, optional): Of the image; a square by default.
        """
        height = width if height is None else height
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        across, down = self.width / width, self.height / height
        linear = np.array(((cos * across, -sin * down), (sin * across, cos * down)))
        center = np.array((self.x - 0.5, self.y - 0.5))
        return np.column_stack([linear, center - linear @ ((width - 1) / 2, (height - 1) / 2)])

    def to_box(self) -> CropBox:
        """The box in whole pixels of a region that is not turned."""
        width, height = (max(1, math.floor(side + 0.5)) for side in (self.width, self.height))
        left, top = math.floor(self.x - width / 2 + 0.5), math.floor(self.y - height / 2 + 0.5)
        return CropBox(left, top, left + width, top + height)

    def rounded(self) -> 'CropRegion':
        """The region in whole pixels, unless it is turned."""
        if self.angle:
            return self
        left, top, right, bottom = self.to_box()
        return CropRegion((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)

    def scaled(self, factor_x: float, factor_y: float) -> 'CropRegion':
        """The same region of a resized frame."""
        return CropRegion(self.x * factor_x, self.y * factor_y, self.width * factor_x, self.height * factor_y,
                          self.angle)


class Cropper(ABC):
    """A convention of cropping.

    Attributes:
        needs_landmarks (bool): Faces must have landmarks.
    """

    needs_landmarks = False

    @abstractmethod
    def region(self, faces: Sequence[Detection], frame_size: tuple[int, int]) -> CropRegion:
        """The region for one face or person of a clip, in all frames.

        Args:
            faces (Sequence[Detection]): The face (or person, for croppers by boxes) in one or more frames of the clip.
            frame_size (tuple[int, int]): Height and width of the frames.
        """


def union_box(found: Sequence[Detection]) -> np.ndarray:
    """Left, top, right, bottom around a face or person in all frames."""
    boxes = np.stack([one.box for one in found])
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def moved_inside(center: float, side: float, length: float) -> float:
    """Center of an interval after the shortest move into ``[0, length]``, or around it if the interval is longer."""
    low, high = sorted((side / 2, length - side / 2))
    return min(max(center, low), high)
