"""The crop of a clip around its face or person, by the conventions that inference crops inputs by."""

import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leokit.croppers import (
    CROP_PRESETS, PERSON_CROP, CroppedVideo, CropRegion, CropTrack, build_cropper, find_person_track, find_preset)
from leokit.face_detectors import FaceDetector, build_face_detector
from leokit.person_detectors import PersonDetector, build_person_detector
from leokit.preparation.crop_rules import CropError
from leokit.registry import CROPPERS
from leokit.utils import UserError
from leokit.video.clip_cutter import CutClip, cut_clip
from leokit.video.face_crop import CropBox
from leokit.video.readers import VideoHandle

PERSON = 'person'
DETECTED_CROPS = (*CROP_PRESETS, PERSON)  # crops that need a detector
DEFAULT_PERSON_DETECTOR = 'torchvision'
DETECTION_FRAMES = 8  # evenly spaced over a clip

_of_thread = threading.local()  # the person detector: to load its network takes seconds


class ClipCrop(NamedTuple):
    """The crop of a clip.

    Attributes:
        box (CropBox): In pixels of the video; of a crop that moves, around it in all frames.
        track (CropTrack, optional): Where the crop is in a clip in which it moves.
    """

    box: CropBox
    track: CropTrack | None = None

    def side(self, width: int, height: int) -> int:
        """Pixels of the shorter side, as far as it lies in the frame; of a crop that moves, those of its region."""
        boxes = [self.box] if self.track is None else [CropRegion(*row).to_box() for row in self.track.regions]
        return min(min(min(box.right, width) - max(box.left, 0), min(box.bottom, height) - max(box.top, 0))
                   for box in boxes)

    def describe(self) -> dict[str, Any]:
        """Keys of the manifest: ``crop``, and for a crop that moves ``crop_path``.

        Rows of the path are seconds of the video, left, top, right and bottom, which move linearly between rows.
        """
        if self.track is None:
            return dict(crop=list(self.box))
        x, y, width, height = self.track.regions[:, :4].T
        path = np.column_stack([self.track.seconds, x - width / 2, y - height / 2, x + width / 2, y + height / 2])
        return dict(crop=list(self.box), crop_path=path.round(4).tolist())


def resolve_person_detector(crop: str, detector: str | None) -> str | None:
    """The person detector of a crop, None for crops without one; a :class:`UserError` if it cannot be used."""
    if crop == PERSON:
        return detector or DEFAULT_PERSON_DETECTOR
    if detector is not None:
        raise UserError(f'a person detector is used by the crop {PERSON!r} only, not by {crop!r}')
    return None


def find_clip_crop(video: VideoHandle, crop: str, first: int, last: int,
                   person_detector: str | None = None) -> ClipCrop:
    """The crop of the frames ``first`` to ``last`` (excluded) around the largest face, or around a person.

    Args:
        video (VideoHandle): The open video.
        crop (str): One of :data:`DETECTED_CROPS`. ``'person'`` follows a person who moves; a convention of faces gives
            one box, and one with another convention for driving videos is used as for these, since boxes are not
            turned.
        first (int): First frame.
        last (int): End (excluded).
        person_detector (str, optional): Name of the detector of ``'person'``.

    Raises:
        CropError: If no face or person is found.
    """
    if crop == PERSON:
        return _person_crop(video, first, last, clip_detector(crop, person_detector))
    box = find_face_box(video, crop, first, last)
    if box is None:
        raise CropError('no face', f'in frames {first} to {last - 1}')
    return ClipCrop(box)


def clip_detector(crop: str, person_detector: str | None = None) -> FaceDetector | PersonDetector:
    """The detector of a crop, for one thread; a :class:`~leokit.utils.UserError` if its package is missing."""
    if crop == PERSON:
        key = person_detector or DEFAULT_PERSON_DETECTOR
        if getattr(_of_thread, 'key', None) != key:
            _of_thread.detector = build_person_detector(key)
            _of_thread.key = key
        return _of_thread.detector
    preset = find_preset(crop)
    cropper = build_cropper(preset, driving=True)
    return build_face_detector(preset.detector or 'auto', landmarks=cropper.needs_landmarks)


def cut_cropped_clip(video: VideoHandle, path: str | Path, first: int, last: int, crop: ClipCrop, size: int,
                     **options: Any) -> CutClip:
    """:func:`~leokit.video.clip_cutter.cut_clip` with a crop that may move."""
    if crop.track is None:
        return cut_clip(video, path, first, last, crop.box, size, **options)
    return cut_clip(CroppedVideo(video, crop.track, size), path, first, last, CropBox(0, 0, size, size), size,
                    **options)


def find_face_box(video: VideoHandle, crop: str, first: int, last: int) -> CropBox | None:
    """The box of a convention around the largest face in the frames ``first`` to ``last`` (excluded), if there is one.

    A convention that is defined on a detector's boxes takes those of the detector's own resolution.
    """
    preset = find_preset(crop)
    detector = clip_detector(crop)
    faces, size = [], (0, 0)
    for index in np.unique(np.linspace(first, last - 1, DETECTION_FRAMES).round().astype(np.int64)):
        frame = video.read([index])[0]
        size = frame.shape[:2]
        faces += detector.detect(frame, thorough=preset.detector is None)[:1]
    return build_cropper(preset, driving=True).region(faces, size).to_box() if faces else None


def _person_crop(video: VideoHandle, first: int, last: int, detector: PersonDetector) -> ClipCrop:
    track, searched, found = find_person_track(video, detector, CROPPERS.build(dict(PERSON_CROP)), first, last)
    if track is None:
        raise CropError('no person', f'found in {found} of {searched} frames of {first} to {last - 1}')
    boxes = np.array([CropRegion(*row).to_box() for row in track.regions])
    around = CropBox(*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    return ClipCrop(around, track if track.moves else None)
