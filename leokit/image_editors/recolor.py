"""Other colors: hue, saturation, brightness."""

import math
from typing import Sequence

import cv2
import numpy as np

from leokit.image_editors.base import EVERYWHERE, ImageEditor, Region
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError


@IMAGE_EDITORS.register_module()
class Recolor(ImageEditor):
    """Turns hues and scales saturation and brightness.

    Args:
        hue (float): Degrees by which hues are turned.
        saturation (float): Factor on the saturation; 0 makes the picture gray.
        brightness (float): Factor on the brightness.
        box (Sequence[float]): Where; see :class:`~leokit.image_editors.base.Region`.
        feather (float): Width of the soft edge, as a fraction of the shorter side.

    Raises:
        UserError: If the hue is no number, a factor is negative or the box is none.
    """

    def __init__(self, hue: float = 0.0, saturation: float = 1.0, *, brightness: float = 1.0,
                 box: Sequence[float] = EVERYWHERE, feather: float = 0.0) -> None:
        if not -math.inf < hue < math.inf:
            raise UserError(f'hue must be a number of degrees, got {hue}')
        if saturation < 0 or brightness < 0:
            raise UserError(f'saturation and brightness must not be negative, got {saturation} and {brightness}')
        self.hue = hue
        self.saturation = saturation
        self.brightness = brightness
        self.region = Region(box, feather)

    def edit(self, image: np.ndarray) -> np.ndarray:
        """See the base class."""
        hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)  # hue in degrees
        hsv[..., 0] = (hsv[..., 0] + self.hue) % 360
        hsv[..., 1:] = np.clip(hsv[..., 1:] * (self.saturation, self.brightness), 0, 1)
        recolored = np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255)
        return self.region.blend(image, recolored)
