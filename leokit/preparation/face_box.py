"""The crop of a clip around its face, by the conventions that inference crops inputs by."""

import numpy as np

from leokit.croppers import build_cropper, find_preset
from leokit.face_detectors import FaceDetector, build_face_detector
from leokit.face_detectors.dlib_models import import_dlib
from leokit.video.face_crop import FACE_CROPS, CropBox
from leokit.video.readers import VideoHandle

DETECTION_FRAMES = 8  # evenly spaced over a clip


def find_clip_box(video: VideoHandle, crop: str, first: int, last: int) -> CropBox | None:
    """One box for the frames ``first`` to ``last`` (excluded), around the largest face; None without a face.

    Args:
        video (VideoHandle): The open video.
        crop (str): Key of :data:`~leokit.croppers.CROP_PRESETS`; one with another convention for driving videos is
            used as for these, since boxes are not turned.
        first (int): First frame.
        last (int): End (excluded).
    """
    if crop in FACE_CROPS:
        from leokit.feature_extractors.face_input import find_face_box  # imports the feature extractors
        return find_face_box(video, crop, first, last)
    preset = find_preset(crop)
    detector = clip_detector(crop)
    faces, size = [], (0, 0)
    for index in np.unique(np.linspace(first, last - 1, DETECTION_FRAMES).round().astype(np.int64)):
        frame = video.read([index])[0]
        size = frame.shape[:2]
        faces += detector.detect(frame, thorough=True)[:1]
    return build_cropper(preset, driving=True).region(faces, size).to_box() if faces else None


def clip_detector(crop: str) -> FaceDetector:
    """A detector of a convention, for one thread; a :class:`~leokit.utils.UserError` if its package is missing."""
    if crop in FACE_CROPS:
        import_dlib()
    preset = find_preset(crop)
    cropper = build_cropper(preset, driving=True)
    return build_face_detector(preset.detector or 'auto', landmarks=cropper.needs_landmarks)
