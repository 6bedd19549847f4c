"""dlib's detector of frontal faces with 68 landmarks."""

import numpy as np

from leokit.face_detectors.base import Face, FaceDetector
from leokit.face_detectors.dlib_models import (
    DEFAULT_UPSAMPLE, DETECTION_RESOLUTION, LANDMARK_FILE, detection_size, import_dlib, model_file, resize_frame,
    search)
from leokit.registry import FACE_DETECTORS
from leokit.utils.detections import largest_first

THOROUGH_RESOLUTION = 1024  # faces from a twelfth of the shorter side
MAX_ENLARGEMENT = 4  # of small frames
FOREHEAD = 0.30  # from the brows up, relative to the height of the landmarks: matches WIDER FACE within a few percent


@FACE_DETECTORS.register_module()
class DlibFaceDetector(FaceDetector):
    """dlib's HOG detector: upright faces, from the front.

    Args:
        resolution (int): Shorter side of the frames for detection.
        upsample (int): How often a frame without a detection is upsampled by 2 and searched again. With 1, faces are
            found from a sixth of the frame's shorter side.
        landmarks (bool): Find landmarks; boxes are then the landmarks' with the forehead. Without, they are the
            detector's own: squares from the brows to the chin.
    """

    def __init__(self, resolution: int = DETECTION_RESOLUTION, upsample: int = DEFAULT_UPSAMPLE,
                 landmarks: bool = True) -> None:
        if resolution < 80 or upsample < 0:
            raise ValueError(f'resolution must be at least 80 and upsample at least 0, got {resolution}, {upsample}')
        dlib = import_dlib()
        self.resolution = resolution
        self.upsample = upsample
        self.has_landmarks = landmarks
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(model_file(LANDMARK_FILE))) if landmarks else None

    def detect(self, frame: np.ndarray, *, thorough: bool = False) -> list[Face]:
        height, width = frame.shape[:2]
        resolution = self.resolution
        if thorough:
            resolution = max(resolution, min(THOROUGH_RESOLUTION, MAX_ENLARGEMENT * min(height, width)))
        size = detection_size(height, width, resolution)
        small = resize_frame(frame, size)
        scale = np.array((width / size[1], height / size[0]))
        boxes, scores = search(self._detector, small, 0 if thorough else self.upsample)
        return largest_first([self._face(small, box, score, scale) for box, score in zip(boxes, scores)])

    def _face(self, frame: np.ndarray, box: object, score: float, scale: np.ndarray) -> Face:
        if self._predictor is None:
            edges = np.array((box.left(), box.top(), box.right() + 1, box.bottom() + 1))  # dlib includes the last pixel
            return Face(edges * np.tile(scale, 2), float(score))
        points = np.array([(point.x, point.y) for point in self._predictor(frame, box).parts()], np.float64)
        points = (points + 0.5) * scale
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return Face(np.array((left, top - FOREHEAD * (bottom - top), right, bottom)), float(score), points)
