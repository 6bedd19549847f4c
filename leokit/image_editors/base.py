"""Base class of image editors, and the region of an image that an edit may be confined to."""

import math
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, Sequence

import cv2
import numpy as np

from leokit.utils import UserError

WHOLE_IMAGE = (0.0, 0.0, 1.0, 1.0)


class ImageEditor(ABC):
    """Edits an image. An editor has no state and is deterministic, unless it is a generative model.

    Attributes:
        edits_any_image (bool): False for an editor that returns the same edited image for every input.
    """

    edits_any_image = True

    @abstractmethod
    def edit(self, image: np.ndarray) -> np.ndarray:
        """Edit an image.

        Args:
            image (np.ndarray): uint8 RGB, shape (H, W, 3); it is not modified.

        Returns:
            np.ndarray: uint8 RGB; an image of another size is cropped and resized by the caller.
        """


def check_number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> None:
    """Raise a :class:`UserError` unless ``value`` is a finite number from ``low`` to ``high``."""
    if not (isinstance(value, Real) and math.isfinite(value) and low <= value <= high):
        span = f' from {low:g} to {high:g}' if math.isfinite(high) else f' of at least {low:g}' * math.isfinite(low)
        raise UserError(f'{name} must be a finite number{span}, got {value!r}')


class Region:
    """A box of an image with soft edges.

    Args:
        box (Sequence[float]): Left, top, right and bottom as fractions of width and height.
        feather (float): Width of the soft edge as a fraction of the shorter dimension of the image, from 0 to 1.
    """

    def __init__(self, box: Sequence[float] = WHOLE_IMAGE, feather: float = 0.0) -> None:
        try:
            left, top, right, bottom = box
            valid = 0 <= left < right <= 1 and 0 <= top < bottom <= 1
        except (TypeError, ValueError):  # not four values, or not numbers
            valid = False
        if not valid:
            raise UserError('a box is (left, top, right, bottom) with 0 <= left < right <= 1 and 0 <= top < bottom <= '
                            f'1, as in (0.2, 0.1, 0.8, 0.5), got {box!r}')
        check_number('feather', feather, 0, 1)
        self.box = tuple(box)
        self.feather = feather

    def pixels(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the box in an image of this size, at least one of each."""
        left, top, right, bottom = self.box
        rows = slice(int(top * height), max(int(top * height) + 1, round(bottom * height)))
        columns = slice(int(left * width), max(int(left * width) + 1, round(right * width)))
        return rows, columns

    def mask(self, height: int, width: int) -> np.ndarray:
        """Weight of the edit at each pixel, float32 in [0, 1], shape (H, W, 1)."""
        mask = np.zeros((height, width), np.float32)
        mask[self.pixels(height, width)] = 1
        sigma = self.feather * min(height, width) / 2
        if sigma > 0:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        return mask[..., None]

    def blend(self, image: np.ndarray, edited: np.ndarray) -> np.ndarray:
        """Blend the edited image over the original within the region; all uint8, shape (H, W, 3)."""
        mask = self.mask(*image.shape[:2])
        return np.rint(image + mask * (edited.astype(np.float32) - image)).astype(np.uint8)
