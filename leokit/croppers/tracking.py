"""The crop of a video: one region for all frames, or one that follows a face that moves through the frame."""

import math
from typing import NamedTuple, Sequence

import numpy as np

from leokit.croppers.base import Cropper, CropRegion, union_box
from leokit.croppers.smoothing import smooth_path
from leokit.face_detectors import Face, FaceDetector, choose_faces, is_cut
from leokit.utils import UserError
from leokit.utils.detections import Detection
from leokit.video.readers import VideoHandle

FOLLOW = ('auto', 'always', 'never')
FIRST_LOOK = 8  # frames, evenly spaced over the video, at least
FIRST_LOOK_EVERY = 2.0  # seconds between them, in long videos
MAX_FIRST_LOOK = 64
FOLLOW_EVERY = 0.2  # seconds between the frames in which a moving face is detected
STAYS_WITHIN = 1.5  # sides of the face or person: one that stays within this is not followed
MAX_JUMP = 2.0  # sides of the face, from one detection to the next of the same face
NOISE, ACCELERATION = 0.03, 0.5  # of detected regions: sides, sides per second²


class CropTrack(NamedTuple):
    """Where the region of a face or person is in a video.

    Attributes:
        seconds (np.ndarray): Times, increasing, shape (K,).
        regions (np.ndarray): Rows of :class:`CropRegion`, shape (K, 5); one row if the region rests.
    """

    seconds: np.ndarray
    regions: np.ndarray

    @property
    def moves(self) -> bool:
        """bool: The region is not the same at all times."""
        return len(self.regions) > 1

    def at(self, second: float) -> CropRegion:
        """The region at a time, by linear interpolation."""
        return CropRegion(*(float(np.interp(second, self.seconds, column)) for column in self.regions.T))

    @classmethod
    def resting(cls, region: CropRegion) -> 'CropTrack':
        """A track of one region."""
        return cls(np.zeros(1), np.array([region], np.float64))


def find_track(video: VideoHandle, detector: FaceDetector, cropper: Cropper, *, which: str | int = 'largest',
               follow: str = 'auto') -> CropTrack:
    """Find a face in a video, and the region that shows it.

    A face that stays within 1.5 times its size gets one region for all frames, in which it moves as in the videos of
    training. One that moves further is followed: detected five times a second, its regions smoothed by
    :func:`~leokit.croppers.smoothing.smooth_path`. The face is chosen in the first frame that shows one, and is the
    nearest one from then on.

    Args:
        video (VideoHandle): The open video.
        detector (FaceDetector): Finds the faces.
        cropper (Cropper): The convention.
        which (str | int): See :func:`~leokit.face_detectors.choose_faces`; one face only.
        follow (str): ``'auto'`` as above, ``'always'`` or ``'never'``.
    """
    if follow not in FOLLOW:
        raise UserError(f'follow must be one of {", ".join(FOLLOW)}, got {follow!r}')
    seconds = len(video) / video.fps
    count = min(max(FIRST_LOOK, math.ceil(seconds / FIRST_LOOK_EVERY)), MAX_FIRST_LOOK)
    frames = np.unique(np.linspace(0, len(video) - 1, count).round().astype(np.int64))
    found, frame_size = _detect(video, frames, detector, which)
    faces = [face for face in found if face is not None]
    if not faces:
        raise no_face(video.path)
    if all(is_cut(face, frame_size) for face in faces):
        raise cut_face(video.path)
    if follow == 'never' or (follow == 'auto' and stays(faces)):
        return CropTrack.resting(cropper.region(faces, frame_size))
    frames = np.unique(np.append(np.arange(0, len(video), max(1, round(FOLLOW_EVERY * video.fps))), len(video) - 1))
    found, _ = _detect(video, frames, detector, which, max_jump=MAX_JUMP)
    regions = np.full((len(frames), len(CropRegion._fields)), np.nan)
    for row, face in zip(regions, found):
        if face is not None:
            row[:] = cropper.region([face], frame_size)
    side = float(np.nanmedian(regions[:, 2]))
    smooth = smooth_path(regions[:, :4], frames / video.fps, noise=NOISE * side, acceleration=ACCELERATION * side)
    smooth[:, 2:] = np.maximum(smooth[:, 2:], 1)
    corners = np.vstack([regions[:, :2], [(0, 0), frame_size[::-1]]])  # a path that goes on must not leave the frame
    smooth[:, :2] = np.clip(smooth[:, :2], np.nanmin(corners, axis=0), np.nanmax(corners, axis=0))
    angles = smooth_path(regions[:, 4:], frames / video.fps, noise=NOISE, acceleration=ACCELERATION)
    return CropTrack(frames / video.fps, np.column_stack([smooth, angles]))


def stays(found: Sequence[Detection]) -> bool:
    """Whether a face or person stays within 1.5 times its size."""
    box = union_box(found)
    return bool(max(box[2] - box[0], box[3] - box[1]) <= STAYS_WITHIN * np.median([one.side for one in found]))


def _detect(video: VideoHandle, frames: np.ndarray, detector: FaceDetector, which: str | int, *,
            max_jump: float = math.inf) -> tuple[list[Face | None], tuple[int, int]]:
    """The same face in several frames, None where it is not found; and the size of the frames."""
    last: Face | None = None
    found: list[Face | None] = []
    frame_size = (0, 0)
    for number in frames:
        frame = video.read([number])[0]
        frame_size = frame.shape[:2]
        faces = detector.detect(frame)
        if not faces:
            found.append(None)
            continue
        if last is None:
            last, *_ = choose_faces(faces, which, f'frame {number} of {video.path}')
        else:
            near = min(faces, key=lambda face: detection_distance(face, last))
            if detection_distance(near, last) > max_jump:
                found.append(None)
                continue
            last = near
        found.append(last)
    return found, frame_size


def detection_distance(one: Detection, other: Detection) -> float:
    """How far a face or person is from another, in sides; one of another size is further away."""
    return float(np.linalg.norm(one.center - other.center)) / other.side + abs(math.log(one.side / other.side))


class NoFaceError(UserError):
    """No face was found."""


def no_face(name: object) -> NoFaceError:
    """The error for an image or video without a face."""
    return NoFaceError(f'no face was found in {name}; pass a sharper or closer picture, or crop it to the face '
                       "yourself and use the crop 'center'")


def cut_face(name: object) -> UserError:
    """The error for a face that the border of the frame cuts through."""
    return UserError(f'the border of {name} cuts through the face; use a picture that shows the whole face, or the '
                     "crop 'center' to take it as it is")
