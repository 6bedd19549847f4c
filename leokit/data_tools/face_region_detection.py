"""The regions of the faces in a dataset (:mod:`leokit.datasets.face_regions`), detected or from the ground truth."""

import math
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Mapping, NamedTuple

import numpy as np
import torch

from leokit.datasets.face_regions import save_face_regions
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.face_detectors import FaceDetector, build_face_detector
from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS
from leokit.metrics.expressions import LEFT_EYE, REGIONS, RIGHT_EYE, eye_distance, region_boxes
from leokit.nn.face_regions import FACE_REGIONS
from leokit.synthetic_faces.face_regions import face_boxes
from leokit.synthetic_faces.ground_truth import load_truth
from leokit.utils import UserError, progress_bar
from leokit.utils.process_streams import parallel_calls, shared_block, worth_processes
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.video_entry import Skipped, VideoEntry
from leokit.video.video_index import VideoIndex

SIZE = 256  # of the frames in which faces are detected
MAX_GAP = 5  # frames without a face that are interpolated
LANDMARKS = dict(mouth=REGIONS['mouth'], right_eye=RIGHT_EYE, left_eye=LEFT_EYE)


class FaceRegionReport(NamedTuple):
    """Result of :func:`write_face_regions`.

    Attributes:
        videos (int): Videos in the file.
        frames (int): Their frames.
        found (int): Frames with regions.
        interpolated (int): Those of them in which no face was detected.
        skipped (list[Skipped]): Videos that cannot be read.
    """

    videos: int
    frames: int
    found: int
    interpolated: int
    skipped: list[Skipped]


def write_face_regions(source: str | Path, path: str | Path, *, detector: str | Mapping[str, Any] = 'auto',
                       crop: str = 'center', max_gap: int = MAX_GAP, workers: int | None = None) -> FaceRegionReport:
    """Detect the largest face in every frame of a dataset and write the regions to a file.

    Args:
        source (str | Path): A folder of videos, or a manifest.
        path (str | Path): The file, ``.npz``.
        detector (str | Mapping): See :func:`~leokit.face_detectors.build_face_detector`; it must find landmarks.
        crop (str): How frames become square, as in the training; see :func:`~leokit.video.resize.fit_frames`.
        max_gap (int): Regions are interpolated over at most this many frames without a face.
        workers (int, optional): Videos processed at a time. Default: one per core.
    """
    workers = workers or worker_count()
    detectors: SimpleQueue[FaceDetector] = SimpleQueue()
    detectors.put(build_face_detector(detector, landmarks=True))
    index, decoder = VideoIndex(source), FrameDecoder(SIZE, crop)
    for _ in range(1, min(workers, len(index))):
        detectors.put(build_face_detector(detector, landmarks=True))

    def detect(video: VideoEntry) -> np.ndarray | str:
        free = detectors.get()
        try:
            return _detect(video, decoder, free)
        except UserError as error:
            return str(error)
        finally:
            detectors.put(free)

    boxes: dict[str, np.ndarray] = {}
    skipped, frames, found, interpolated = list(index.skipped), 0, 0, 0
    with progress_bar(len(index), 'detecting faces', unit='video') as bar:
        for video, detected in zip(index, thread_map(detect, index, workers)):
            if isinstance(detected, str):
                skipped.append(Skipped(str(video.path), detected))
            else:
                boxes[video.name] = fill_gaps(detected, max_gap)
                known = int(np.isfinite(boxes[video.name]).all(axis=(1, 2)).sum())
                frames, found = frames + len(detected), found + known
                interpolated += known - int(np.isfinite(detected).all(axis=(1, 2)).sum())
            bar.update()
    if not found:
        raise UserError(f'no face was found in the videos of {source}' +
                        (f'; the first problem: {skipped[0]}' if skipped else ''))
    save_face_regions(path, boxes, crop)
    return FaceRegionReport(len(boxes), frames, found, interpolated, skipped)


def write_synthetic_regions(folder: str | Path, path: str | Path, *, workers: int | None = None) -> FaceRegionReport:
    """Write the regions of a SyntheticFaces dataset, from its ground truth, to a file.

    Args:
        folder (str | Path): The dataset.
        path (str | Path): The file, ``.npz``.
        workers (int, optional): Videos processed at a time, from 5 on in processes. Default: one per core.
    """
    truth, workers = load_truth(folder), workers or worker_count()
    count, length = truth.motion.shape[:2]
    shape = (count, length, len(FACE_REGIONS), 4)
    block = shared_block(math.prod(shape) * 4) if worth_processes(count, workers, 0, 0) else None  # of float32
    measured = np.empty(shape, np.float32) if block is None else block.view(np.float32).reshape(shape)

    def measure(row: int) -> None:
        textures = None if truth.textures is None else torch.from_numpy(truth.textures[row:row + 1])
        measured[row] = face_boxes(torch.from_numpy(truth.appearance[row:row + 1]),
                                   torch.from_numpy(truth.motion[row]), textures)

    # in processes, because threads would each divide every operator among all cores
    with progress_bar(count, 'regions', unit='video') as bar, \
            closing(parallel_calls(measure, count, workers, in_processes=block is not None)) as done:
        for _, error in done:
            if error is not None:
                raise error
            bar.update()
    save_face_regions(path, dict(zip(truth.names, measured)))
    found = np.isfinite(measured).all(axis=(2, 3))  # (videos, T)
    return FaceRegionReport(count, found.size, int(found.sum()), 0, [])


def landmark_boxes(landmarks: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Boxes of the regions of a video.

    Args:
        landmarks (np.ndarray): Points of the faces, shape (T, 68, 2); NaN where there is no face.
        faces (np.ndarray): Boxes of the faces, shape (T, 4).

    Returns:
        np.ndarray: Shape (T, R, 4), R as in ``FACE_REGIONS``, in the unit of the landmarks.
    """
    points = torch.from_numpy(np.asarray(landmarks, np.float64))
    unit = eye_distance(points).nanmean()
    boxes = {name: region_boxes(points[:, rows], unit).numpy() for name, rows in LANDMARKS.items()}
    return np.stack([{**boxes, 'face': faces}[name] for name in FACE_REGIONS], axis=1)


def fill_gaps(boxes: np.ndarray, max_gap: int) -> np.ndarray:
    """Interpolate boxes (T, R, 4) linearly over at most ``max_gap`` successive frames of NaN between two others."""
    found = np.flatnonzero(np.isfinite(boxes).all(axis=(1, 2)))
    filled = boxes.copy()
    missing = np.setdiff1d(np.arange(len(boxes)), found)
    if not len(found) or not len(missing):
        return filled
    missing = missing[(missing > found[0]) & (missing < found[-1])]
    after = np.searchsorted(found, missing)
    low, high = found[after - 1], found[after]
    short = high - low - 1 <= max_gap
    missing, low, high = missing[short], low[short], high[short]
    share = ((missing - low) / (high - low))[:, None, None]
    filled[missing] = (1 - share) * boxes[low] + share * boxes[high]
    return filled


def _detect(video: VideoEntry, decoder: FrameDecoder, detector: FaceDetector) -> np.ndarray:
    landmarks = np.full((video.frames, NUM_LANDMARKS, 2), np.nan)
    faces = np.full((video.frames, 4), np.nan)
    number = 0
    for chunk in decoder.stream(video):
        for frame in chunk.transpose(0, 2, 3, 1):  # (t, 3, S, S) -> (t, S, S, 3)
            for face in detector.detect(np.ascontiguousarray(frame))[:1]:
                landmarks[number], faces[number] = face.landmarks, face.box
            number += 1
    return landmark_boxes(landmarks / SIZE, faces / SIZE)
