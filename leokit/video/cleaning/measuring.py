"""Measure a clip in one pass over its frames, a chunk at a time.

Whole frames are in memory for one chunk only. Of every frame a copy of 16x16 pixels and a few numbers are kept: an hour
at 25 frames per second takes 160 MB. Details and borders are measured on four frames per second, faces on one.
"""

from typing import Iterable, Iterator, Sequence

import cv2
import numpy as np

from leokit.face_detectors.base import FaceDetector
from leokit.video.cleaning.black import BLACK_LEVEL, lit_shares
from leokit.video.cleaning.blur import sharpness
from leokit.video.cleaning.captions import KEPT_FRAMES, stroke_edges, text_density
from leokit.video.cleaning.clip_measures import DETAIL_SIDE, PARTS, SAMPLES_PER_SECOND, SIDE, SMALL_SIDE, ClipMeasures

CHUNK_FRAMES = 64  # of an array that is passed whole
COLORS = 8**3  # of a histogram
FACE_SECONDS = 1.0  # from one frame in which faces are searched to the next


def measure_clip(frames: np.ndarray | Iterable[np.ndarray], frame_rate: float, *, details: bool = True,
                 face_detector: FaceDetector | None = None) -> ClipMeasures:
    """Measure all that the checks need.

    Args:
        frames (np.ndarray | Iterable[np.ndarray]): uint8 RGB frames (T, H, W, 3), or chunks of them.
        frame_rate (float): Frames per second.
        details (bool): False skips borders, blur and captions, whose measures are then empty.
        face_detector (FaceDetector, optional): Finds the faces of frames; by default none are searched.
    """
    meter = _Meter(frame_rate, details, face_detector)
    for chunk in frame_chunks(frames):
        meter.add(chunk)
    return meter.result()


def frame_chunks(frames: np.ndarray | Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames, whole or in chunks, in chunks that are not empty; their shapes are checked."""
    chunks = frames
    if isinstance(frames, np.ndarray):
        chunks = (frames[start:start + CHUNK_FRAMES] for start in range(0, len(frames), CHUNK_FRAMES))
    size = None
    for chunk in chunks:
        if not isinstance(chunk, np.ndarray) or chunk.dtype != np.uint8 or chunk.ndim != 4 or chunk.shape[3] != 3:
            raise ValueError('frames must be uint8 arrays of shape (T, H, W, 3), got '
                             f'{getattr(chunk, "dtype", type(chunk).__name__)} {getattr(chunk, "shape", "")}')
        size = size or chunk.shape[1:3]
        if chunk.shape[1:3] != size:
            raise ValueError(f'frames of a clip must have one size, got {size} and {chunk.shape[1:3]}')
        if len(chunk):
            yield chunk


class _Meter:
    def __init__(self, frame_rate: float, details: bool, face_detector: FaceDetector | None) -> None:
        if not 0 < frame_rate < float('inf'):
            raise ValueError(f'frame_rate must be positive, got {frame_rate}')
        self.rate, self.details, self.detector = frame_rate, details, face_detector
        self.count, self.size = 0, (0, 0)
        self.interval = max(1, round(frame_rate / SAMPLES_PER_SECOND))
        self.face_interval = max(1, round(FACE_SECONDS * frame_rate))
        self.last: np.ndarray | None = None  # comparison copy of the last frame
        self.edges: list[np.ndarray] = []  # stroke edges of the last sampled frames
        self.parts: dict[str, list] = {key: [] for key in (
            'small', 'change', 'colors', 'largest', 'black', 'sampled', 'sharpness', 'text', 'face_frames', 'faces')}
        self.rows = self.columns = np.zeros(0, np.float32)

    def add(self, chunk: np.ndarray) -> None:
        self.size = chunk.shape[1:3]
        copies = np.stack([cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for frame in chunk])
        self._compare(copies)
        numbers = np.arange(self.count, self.count + len(chunk))
        if self.details:
            for position in np.flatnonzero(numbers % self.interval == 0):
                self._sample(int(numbers[position]), chunk[position])
        if self.detector is not None:
            for position in np.flatnonzero(numbers % self.face_interval == 0):
                self.parts['face_frames'].append(int(numbers[position]))
                boxes = [face.box for face in self.detector.detect(chunk[position])]
                self.parts['faces'].append(np.array(boxes, np.float64).reshape(-1, 4))
        self.count += len(chunk)

    def _compare(self, copies: np.ndarray) -> None:
        """Measures of every frame, from copies (t, 64, 64, 3)."""
        size = len(copies)
        known = copies if self.last is None else np.concatenate([self.last, copies])
        self.last = copies[-1:]
        side, step = SIDE // PARTS, SIDE // SMALL_SIDE
        small = copies.reshape(size, SMALL_SIDE, step, SMALL_SIDE, step, 3).mean(axis=(2, 4), dtype=np.float32)
        self.parts['small'].append(np.rint(small).astype(np.uint8))
        luma = np.stack([cv2.cvtColor(copy, cv2.COLOR_RGB2GRAY) for copy in copies])
        self.parts['black'].append((luma <= BLACK_LEVEL).mean(axis=(1, 2)))
        wide = known.astype(np.float32)
        moved = np.abs(wide[1:] - wide[:-1]).reshape(-1, PARTS, side, PARTS, side, 3).mean(axis=(2, 4, 5))
        wide -= wide.mean(axis=(1, 2, 3), keepdims=True)
        change = np.abs(wide[1:] - wide[:-1]).mean(axis=(1, 2, 3))
        shares = np.sqrt(_histograms(known))
        colors = np.sqrt(np.clip(1 - (shares[1:] * shares[:-1]).sum(axis=1), 0, 1))
        missing = np.zeros(size - len(change), np.float32)  # before the first frame of the clip
        self.parts['change'].append(np.concatenate([missing, change]))
        self.parts['colors'].append(np.concatenate([missing, colors]))
        self.parts['largest'].append(np.concatenate([missing, moved.max(axis=(1, 2))]))

    def _sample(self, number: int, frame: np.ndarray) -> None:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        rows, columns = lit_shares(gray)
        self.rows = np.maximum(self.rows, rows) if len(self.rows) else rows
        self.columns = np.maximum(self.columns, columns) if len(self.columns) else columns
        scale = DETAIL_SIDE / min(gray.shape)
        if scale < 1:
            gray = cv2.resize(gray, (round(gray.shape[1] * scale), round(gray.shape[0] * scale)),
                              interpolation=cv2.INTER_AREA)
        self.edges = [*self.edges[1 - KEPT_FRAMES:], stroke_edges(gray)]
        kept = np.logical_and.reduce(self.edges) if len(self.edges) == KEPT_FRAMES else None
        self.parts['sampled'].append(number)
        self.parts['text'].append(0.0 if kept is None else text_density(kept))
        if min(gray.shape) >= 8:
            self.parts['sharpness'].append(sharpness(gray.astype(np.float32)))

    def result(self) -> ClipMeasures:
        if not self.count:
            raise ValueError('the clip has no frames')
        parts = self.parts
        joined = {key: np.concatenate(parts[key]) for key in ('small', 'change', 'colors', 'largest', 'black')}
        floats = (joined[key].astype(np.float32) for key in ('change', 'colors', 'largest', 'black'))
        return ClipMeasures(
            self.rate, self.size, joined['small'], *floats, _ints(parts['sampled']),
            np.array(parts['sharpness'], np.float32), np.array(parts['text'], np.float32), self.rows, self.columns,
            _ints(parts['face_frames']), parts['faces'])


def _histograms(frames: np.ndarray) -> np.ndarray:
    """Shares of 8x8x8 colors in frames (t, H, W, 3): float32 (t, 512)."""
    levels = (frames >> 5).astype(np.int64)
    colors = (levels[..., 0] * 8 + levels[..., 1]) * 8 + levels[..., 2]
    colors = colors.reshape(len(frames), -1) + COLORS * np.arange(len(frames))[:, None]
    counts = np.bincount(colors.ravel(), minlength=COLORS * len(frames)).reshape(-1, COLORS)
    return counts.astype(np.float32) / np.prod(frames.shape[1:3])


def _ints(values: Sequence[int]) -> np.ndarray:
    return np.array(values, np.int64)
