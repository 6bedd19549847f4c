"""Clips without a face, or with several people."""

import threading
from typing import Any, Callable

import cv2
import numpy as np

from leokit.video.cleaning.clip_measures import ClipMeasures
from leokit.video.cleaning.finding import Finding

FaceDetector = Callable[[np.ndarray], np.ndarray]
MIN_AREA = 0.25  # of the largest face; smaller ones are people in the background
MIN_SHARE = 0.5  # of the searched frames
DETECTION_SIDE = 256  # shorter side of frames for detection

_threads = threading.local()


def find_faces(clip: ClipMeasures) -> list[Finding]:
    """Clips that show no face, or several people.

    ``'no_face'``: at least half of the searched frames show none. ``'several_faces'``: at least half show two or more,
    of which the second is at least a quarter as large as the first. Value: the share of such frames.
    """
    if not clip.faces:
        return []
    counts = np.array([_count(boxes) for boxes in clip.faces])
    found = []
    for reason, share in (('no_face', (counts == 0).mean()), ('several_faces', (counts > 1).mean())):
        if share >= MIN_SHARE:
            found.append(Finding(reason, 0, len(clip), round(float(share), 3)))
    return found


def dlib_faces(frame: np.ndarray) -> np.ndarray:
    """All faces of a frame by dlib's detector, from a sixth of the frame's shorter side.

    Args:
        frame (np.ndarray): uint8 RGB (H, W, 3).

    Returns:
        np.ndarray: Left, top, right, bottom in pixels of the frame, float64 (faces, 4).
    """
    detector = _dlib_detector()
    height, width = frame.shape[:2]
    scale = DETECTION_SIDE / min(height, width)
    small = cv2.resize(frame, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    boxes = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in detector(small, 1)]
    return np.array(boxes, np.float64).reshape(-1, 4) / scale


def _dlib_detector() -> Any:
    """A detector of this thread's own: detectors must not be shared."""
    if not hasattr(_threads, 'detector'):
        from leokit.feature_extractors.face_detection import import_dlib  # dlib is an optional package
        _threads.detector = import_dlib().get_frontal_face_detector()
    return _threads.detector


def _count(boxes: np.ndarray) -> int:
    if len(boxes) == 0:
        return 0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return int((areas >= MIN_AREA * areas.max()).sum())
