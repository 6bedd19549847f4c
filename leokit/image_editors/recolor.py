"""Change hue, saturation and brightness."""

from typing import Sequence

import cv2
import numpy as np

from leokit.image_editors.base import WHOLE_IMAGE, ImageEditor, Region, check_number
from leokit.registry import IMAGE_EDITORS


@IMAGE_EDITORS.register_module()
class Recolor(ImageEditor):
    """Shifts hues and scales saturation and brightness.

    Args:
        hue (float): Shift of the hue in degrees.
        saturation (float): Factor on the saturation, at least 0, which gives grayscale.
        brightness (float): Factor on the brightness, at least 0.
        box (Sequence[float]): See :class:`~leokit.image_editors.base.Region`.
        feather (float): See :class:`~leokit.image_editors.base.Region`.
    """

    def __init__(self, hue: float = 0.0, saturation: float = 1.0, *, brightness: float = 1.0,
                 box: Sequence[float] = WHOLE_IMAGE, feather: float = 0.0) -> None:
        check_number('hue', hue)
        check_number('saturation', saturation, 0)
        check_number('brightness', brightness, 0)
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
