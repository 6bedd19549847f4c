"""Paste another image onto a part of the frame: glasses, a logo, a tattoo."""

from pathlib import Path
from typing import Sequence

import cv2
import numpy as np
from PIL import Image, ImageOps

from leokit.image_editors.base import ImageEditor, Region, check_number
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError
from leokit.video import read_image


@IMAGE_EDITORS.register_module()
class PasteImage(ImageEditor):
    """Pastes an image with its transparency, stretched to a box.

    Args:
        path (str | Path): The image to paste.
        box (Sequence[float]): See :class:`~leokit.image_editors.base.Region`.
        opacity (float): Opacity of the pasted image, in (0, 1].
    """

    def __init__(self, path: str | Path, box: Sequence[float], *, opacity: float = 1.0) -> None:
        check_number('opacity', opacity, 0, 1)
        if opacity == 0:
            raise UserError('opacity=0 shows nothing of the image; pass a number above 0')
        self._pixels, self._alpha = _read_with_alpha(path)
        self.opacity = opacity
        self.region = Region(box)

    def edit(self, image: np.ndarray) -> np.ndarray:
        rows, columns = self.region.pixels(*image.shape[:2])
        background = image[rows, columns].astype(np.float32)
        size = (background.shape[1], background.shape[0])
        shrinks = self._alpha.shape[0] >= size[1] and self._alpha.shape[1] >= size[0]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        # Colors are premultiplied by alpha, so that the hidden colors of transparent pixels do not bleed in.
        pasted = cv2.resize(self._pixels * self._alpha, size, interpolation=interpolation)
        alpha = cv2.resize(self._alpha, size, interpolation=interpolation)[..., None]
        result = image.copy()
        result[rows, columns] = np.rint(
            background * (1 - self.opacity * alpha) + self.opacity * pasted).clip(0, 255)
        return result


def _read_with_alpha(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """uint8 RGB (H, W, 3) and alpha float32 (H, W, 1) in [0, 1] of an image."""
    pixels = read_image(path)  # raises a clear error for a broken file
    # PIL, not mmcv.imread: palette transparency and EXIF orientation must apply to alpha as to the colors
    with Image.open(path) as image:
        if 'A' not in image.getbands() and 'transparency' not in image.info:
            return pixels, np.ones((*pixels.shape[:2], 1), np.float32)
        rgba = np.array(ImageOps.exif_transpose(image).convert('RGBA'))
    return rgba[..., :3], rgba[..., 3:].astype(np.float32) / 255
