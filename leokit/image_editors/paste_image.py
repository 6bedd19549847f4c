"""Laying another picture over a part of the frame: glasses, a logo, a tattoo."""

from pathlib import Path
from typing import Sequence

import cv2
import numpy as np
from PIL import Image, ImageOps

from leokit.image_editors.base import ImageEditor, Region
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError
from leokit.video import read_image


@IMAGE_EDITORS.register_module()
class PasteImage(ImageEditor):
    """Pastes a picture, stretched to a box; its transparency is respected.

    Args:
        path (str | Path): The picture to paste.
        box (Sequence[float]): Left, top, right, bottom as fractions of the sides of the frame.
        opacity (float): How much of what is below it hides, in (0, 1].

    Raises:
        UserError: If the picture cannot be read, the box is none or the opacity out of range.
    """

    def __init__(self, path: str | Path, box: Sequence[float], *, opacity: float = 1.0) -> None:
        if not 0 < opacity <= 1:
            raise UserError(f'opacity must be above 0 and at most 1, got {opacity}')
        self._pixels, self._alpha = _read_with_alpha(path)
        self.opacity = opacity
        self.region = Region(box)

    def edit(self, image: np.ndarray) -> np.ndarray:
        """See the base class."""
        rows, columns = self.region.pixels(*image.shape[:2])
        below = image[rows, columns].astype(np.float32)
        size = (below.shape[1], below.shape[0])
        shrinks = self._alpha.shape[0] >= size[1] and self._alpha.shape[1] >= size[0]
        filter_ = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        # colors weighted by their alpha, so that what transparent pixels hide does not bleed in
        weighted = cv2.resize(self._pixels * self._alpha, size, interpolation=filter_)
        alpha = cv2.resize(self._alpha, size, interpolation=filter_)[..., None]
        result = image.copy()
        result[rows, columns] = np.rint(below * (1 - self.opacity * alpha) + self.opacity * weighted).clip(0, 255)
        return result


def _read_with_alpha(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 RGB (H, W, 3) and opacity float32 (H, W, 1) in [0, 1] of a picture."""
    pixels = read_image(path)  # or one sentence about what is wrong with it
    with Image.open(path) as image:
        if 'A' not in image.getbands() and 'transparency' not in image.info:
            return pixels, np.ones((*pixels.shape[:2], 1), np.float32)
        rgba = np.array(ImageOps.exif_transpose(image).convert('RGBA'))
    return rgba[..., :3], rgba[..., 3:].astype(np.float32) / 255
