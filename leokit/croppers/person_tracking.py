"""The crop of a clip around a person: one region for all frames, or one that follows a person who moves."""

import math
from typing import NamedTuple, Sequence

import numpy as np

from leokit.croppers.base import Cropper
from leokit.croppers.smoothing import find_outliers, smooth_path
from leokit.croppers.tracking import ACCELERATION, MAX_JUMP, NOISE, CropTrack, detection_distance, stays
from leokit.person_detectors import Person, PersonDetector
from leokit.video.readers import VideoHandle

DETECTION_EVERY = 0.2  # seconds
MIN_DETECTIONS = 8  # frames of short clips
MIN_FOUND = 0.25  # of the frames with a detection; fewer are false ones
OUTLIER_SECONDS = 1.0  # window of the median
OUTLIER_DISTANCE = 0.25  # sides of the person, from the median; of the logarithm of the side
SIZE_QUANTILE = 0.95  # of the sizes along the path, for a crop that does not zoom


class PersonSearch(NamedTuple):
    """Result of :func:`find_person_track`.

    Attributes:
        track (CropTrack, optional): The crop; None if no person was found.
        searched (int): Frames in which people were searched.
        found (int): Frames in which the person was found.
    """

    track: CropTrack | None
    searched: int
    found: int


def find_person_track(video: VideoHandle, detector: PersonDetector, cropper: Cropper, first: int = 0,
                      last: int | None = None) -> PersonSearch:
    """Find a person in a clip, and the region that shows the person.

    People are detected five times a second. The person is the most certain detection of the clip, followed from there
    in both directions to the nearest one; single detections that differ from those around are left out. A person who
    stays within 1.5 times the size of the box gets one region for all frames, around all boxes. One who moves further
    is followed by a region of constant size, its path smoothed by :func:`~leokit.croppers.smoothing.smooth_path`.

    Args:
        video (VideoHandle): The open video.
        detector (PersonDetector): Finds the people.
        cropper (Cropper): The convention.
        first (int): First frame.
        last (int, optional): End (excluded). Default: the end of the video.
    """
    last = len(video) if last is None else last
    count = max(MIN_DETECTIONS, math.ceil((last - first) / video.fps / DETECTION_EVERY) + 1)
    frames = np.unique(np.linspace(first, last - 1, count).round().astype(np.int64))
    found, frame_size = [], (0, 0)
    for number in frames:  # one at a time: whole frames may be large
        frame = video.read([number])[0]
        frame_size = frame.shape[:2]
        found.append(detector.detect(frame))
    seconds = frames / video.fps
    boxes = _path(found)  # center x, center y, width, height
    boxes[find_outliers(_comparable(boxes), seconds, within=OUTLIER_SECONDS, limit=OUTLIER_DISTANCE)] = np.nan
    known = ~np.isnan(boxes).any(axis=1)
    if known.sum() < MIN_FOUND * len(frames):
        return PersonSearch(None, len(frames), int(known.sum()))
    people = [_person(box) for box in boxes[known]]
    if stays(people):
        track = CropTrack.resting(cropper.region(people, frame_size))
    else:
        side = float(np.median([person.side for person in people]))
        path = smooth_path(boxes[:, :2], seconds, noise=NOISE * side, acceleration=ACCELERATION * side)
        size = np.quantile(boxes[known, 2:], SIZE_QUANTILE, axis=0)
        regions = [cropper.region([_person(np.concatenate([center, size]))], frame_size) for center in path]
        track = CropTrack(seconds, np.array(regions, np.float64))
    return PersonSearch(track, len(frames), int(known.sum()))


def _path(found: Sequence[Sequence[Person]]) -> np.ndarray:
    """Boxes of one person, (K, 4) as center and size; rows of NaN where there is none."""
    boxes = np.full((len(found), 4), np.nan)
    scores = [max((person.score for person in people), default=-math.inf) for people in found]
    start = int(np.argmax(scores)) if found else 0
    if not found or not found[start]:
        return boxes
    best = max(found[start], key=lambda person: person.score)
    for order in (range(start, len(found)), range(start, -1, -1)):
        current = best
        for index in order:
            near = min(found[index], key=lambda person: detection_distance(person, current), default=None)
            if near is not None and detection_distance(near, current) <= MAX_JUMP:
                current = near if index != start else best
                boxes[index] = *current.center, *(current.box[2:] - current.box[:2])
    return boxes


def _comparable(boxes: np.ndarray) -> np.ndarray:
    """Centers in median sides and logarithms of the longer side, (K, 3)."""
    sides = boxes[:, 2:].max(axis=1, keepdims=True)
    scale = np.nanmedian(sides) if not np.isnan(sides).all() else 1.0
    return np.concatenate([boxes[:, :2] / scale, np.log(sides)], axis=1)


def _person(box: np.ndarray) -> Person:
    center, size = box[:2], box[2:]
    return Person(np.concatenate([center - size / 2, center + size / 2]), 1.0)
