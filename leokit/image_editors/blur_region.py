"""Blur a region, for example to make a face unrecognizable."""

from typing import Sequence

import cv2
import numpy as np

from leokit.image_editors.base import ImageEditor, Region, check_number
from leokit.registry import IMAGE_EDITORS
from leokit.utils import UserError


@IMAGE_EDITORS.register_module()
class BlurRegion(ImageEditor):
    """Blurs a region with a Gaussian.

    Args:
        box (Sequence[float]): See :class:`~leokit.image_editors.base.Region`.
        strength (float): Standard deviation of the Gaussian as a fraction of the shorter dimension of the image,
            at most 1.
        feather (float): See :class:`~leokit.image_editors.base.Region`.
    """

    def __init__(self, box: Sequence[float], strength: float = 0.05, *, feather: float = 0.02) -> None:
        check_number('strength', strength, 0, 1)
        if strength == 0:
            raise UserError('strength=0 leaves the region as it is; pass a number above 0')
        self.strength = strength
        self.region = Region(box, feather)

    def edit(self, image: np.ndarray) -> np.ndarray:
        sigma = self.strength * min(image.shape[:2])
        return self.region.blend(image, cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
