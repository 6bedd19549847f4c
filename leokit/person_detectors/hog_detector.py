"""OpenCV's detector of upright people; its weights are part of OpenCV."""

import cv2
import numpy as np

from leokit.person_detectors.base import Person, PersonDetector
from leokit.registry import PERSON_DETECTORS
from leokit.utils import UserError
from leokit.utils.detections import largest_first

WINDOW_MARGIN = 1 / 8  # of the detector's 64x128 pixels around a person (Dalal & Triggs: 16 of 128)
STRIDE, SCALE_STEP = 8, 1.05  # of the window; of the image pyramid


@PERSON_DETECTORS.register_module()
class HOGPersonDetector(PersonDetector):
    """Histograms of oriented gradients and a linear SVM (Dalal & Triggs, CVPR 2005), trained on the INRIA persons.

    Finds whole, upright people, standing or walking, seen from the front or behind. Sitting people, half bodies and
    deep stances are mostly missed, and outstretched arms are outside of the box, whose shape is always 1:2.

    Args:
        resolution (int): Longer side of the frames for detection. People are found from 96 pixels of it.
        padding (float): Width of the border that is added around a frame, relative to its longer side, by repeating
            its edge: people who fill the frame are found, too.
        min_score (float): Detections of a lower score are left out; 0 is the boundary of the SVM.
    """

    def __init__(self, resolution: int = 320, padding: float = 0.2, min_score: float = 0.5) -> None:
        if resolution < 64 or not 0 <= padding <= 1 or min_score < 0:
            raise ValueError('resolution must be at least 64, padding from 0 to 1 and min_score not negative, got '
                             f'{resolution}, {padding}, {min_score}')
        if not hasattr(cv2, 'HOGDescriptor'):
            raise UserError(f'the person detector HOGPersonDetector is not part of opencv-python {cv2.__version__}; '
                            'install opencv-python<5, or opencv-contrib-python in place of opencv-python, or use the '
                            'person detector torchvision')
        self.resolution = resolution
        self.padding = padding
        self.min_score = min_score
        self._detector = cv2.HOGDescriptor()
        self._detector.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def detect(self, frame: np.ndarray) -> list[Person]:
        height, width = frame.shape[:2]
        scale = self.resolution / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        gray = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size,
                          interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        border = round(self.padding * self.resolution)
        gray = cv2.copyMakeBorder(gray, border, border, border, border, cv2.BORDER_REPLICATE)
        if gray.shape[0] < 128 or gray.shape[1] < 64:  # smaller than the window
            return []
        windows, scores = self._detector.detectMultiScale(gray, winStride=(STRIDE, STRIDE), scale=SCALE_STEP)
        back = np.tile((width / size[0], height / size[1]), 2)
        found = []
        for (x, y, across, down), score in zip(windows, np.ravel(scores)):
            if score >= self.min_score:
                inner = np.array((x + WINDOW_MARGIN * across, y + WINDOW_MARGIN * down,
                                  x + (1 - WINDOW_MARGIN) * across, y + (1 - WINDOW_MARGIN) * down))
                found.append(Person((inner - border) * back, float(score)))
        return largest_first(found)
