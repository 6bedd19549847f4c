"""Change hue, saturation and brightness."""

import math
from numbers import Real
from typing import Sequence

import cv2
import numpy as np

from leokit.image_editors.base import WHOLE_IMAGE, ImageEditor, Region
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError


@IMAGE_EDITORS.register_module()
class Recolor(ImageEditor):
    """Shifts hues and scales saturation and brightness.

    Args:
        hue (float): Shift of the hue in degrees.
        saturation (float): Factor on the saturation; 0 gives grayscale.
        brightness (float): Factor on the brightness.
        box (Sequence[float]): See :class:`~leokit.image_editors.base.Region`.
        feather (float): See :class:`~leokit.image_editors.base.Region`.
    """

    def __init__(self, hue: float = 0.0, saturation: float = 1.0, *, brightness: float = 1.0,
                 box: Sequence[float] = WHOLE_IMAGE, feather: float = 0.0) -> None:
        if not (isinstance(hue, Real) and math.isfinite(hue)):
            raise UserError(f'hue must be a number of degrees, got {hue!r}')
        if saturation < 0 or brightness < 0:
            raise UserError(f'saturation and brightness must not be negative, got {saturation} and {brightness}')
        self.hue = hue
        self.saturation = saturation
        self.brightness = brightness
        self.region = Region(box, feather)

    def edit(self, image: np.ndarray) -> np.ndarray:
        hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)  # hue in degrees, the rest in [0, 1]
        hsv[..., 0] = (hsv[..., 0] + self.hue) % 360
        hsv[..., 1:] = np.clip(hsv[..., 1:] * (self.saturation, self.brightness), 0, 1)
        recolored = np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255)
        return self.region.blend(image, recolored)
