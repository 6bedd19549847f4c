"""Decoding and cropping of clips in threads, ahead of the network.

Clips are divided into batches before the batches are divided among processes. So a clip is in the same batch on one
process and on many, and its features are the same to the last bit.
"""

from contextlib import ExitStack
from typing import Iterator, NamedTuple, Sequence

import numpy as np

from leokit.evaluation.clip_sampling import Clip
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.video_set import VideoSet
from leokit.utils import UserError
from leokit.utils.thread_map import thread_map
from leokit.video.resize import center_square

FRAMES_PER_BATCH = 128  # frames in one batch of the network; a constant, because it can change the last bits


class ClipBatch(NamedTuple):
    """Decoded clips."""

    indices: np.ndarray  # int64, of the clips that could be decoded
    clips: list[np.ndarray]  # each uint8 (T, h, w, 3)
    failures: dict[int, str]  # reason by index of the clips that could not be decoded


def batch_indices(number: int, length: int, rank: int = 0, world_size: int = 1) -> list[np.ndarray]:
    """Divide clips into batches and select those of one process.

    Args:
        number (int): Number of clips.
        length (int): Frames of a clip.
        rank (int): Rank of the process.
        world_size (int): Number of processes.

    Returns:
        list[np.ndarray]: Indices of the clips of each batch.
    """
    size = max(1, FRAMES_PER_BATCH // length)
    batches = [np.arange(start, min(start + size, number)) for start in range(0, number, size)]
    return batches[rank::world_size]


class ClipLoader:
    """Iterates over decoded batches.

    Args:
        videos (VideoSet): The videos.
        clips (Sequence[Clip]): Clips of the videos.
        protocol (Protocol): Defines the frames of a clip and their crop.
        batches (list[np.ndarray]): Indices of clips, from :func:`batch_indices`.
        workers (int): Number of decoding threads.
    """

    def __init__(self, videos: VideoSet, clips: Sequence[Clip], *, protocol: Protocol, batches: list[np.ndarray],
                 workers: int = 2) -> None:
        if workers < 1:
            raise ValueError(f'workers must be at least 1, got {workers}')
        self.videos, self.clips, self.protocol = videos, clips, protocol
        self.batches, self.workers = batches, workers

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[ClipBatch]:
        return thread_map(self.load, self.batches, self.workers, ahead=self.workers)

    def load(self, indices: np.ndarray) -> ClipBatch:
        """Decode the clips at ``indices``."""
        decoded, kept, failures = [], [], {}
        with _OpenVideo(self.videos) as video:
            for index in indices.tolist():
                clip = self.clips[index]
                try:
                    frames = video.read(clip.video, self._frame_numbers(clip))
                    decoded.append(crop_frames(frames, self.protocol.frames.aspect))
                    kept.append(index)
                except UserError as error:
                    failures[index] = str(error)
        return ClipBatch(np.asarray(kept, dtype=np.int64), decoded, failures)

    def _frame_numbers(self, clip: Clip) -> np.ndarray:
        return self.videos.entries[clip.video].frame_numbers(self.protocol.clips, clip.start)


def crop_frames(frames: np.ndarray, aspect: str) -> np.ndarray:
    """Crop frames (T, H, W, 3) to their central square if ``aspect`` is 'center_crop'; the result is contiguous."""
    return np.ascontiguousarray(center_square(frames) if aspect == 'center_crop' else frames)


class _OpenVideo(ExitStack):
    """Keeps the last video open, because successive clips are often of the same video."""

    def __init__(self, videos: VideoSet) -> None:
        super().__init__()
        self._videos = videos
        self._number, self._handle = None, None

    def read(self, number: int, frames: np.ndarray) -> np.ndarray:
        """Frames of the video with this number."""
        if self._number != number:
            self._number = None
            self.close()
            self._handle = self.enter_context(self._videos.reader.open(self._videos.entries[number].path))
            self._number = number
        return self._handle.read(frames)
