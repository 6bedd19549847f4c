"""Decoding clips ahead of the network: threads decode whole batches, in order, a bounded number ahead.

Batches are cut before they are shared out among processes, so that a clip meets the same batch mates on one process
and on many, and its features are the same to the last bit.
"""

from typing import Iterator, NamedTuple, Sequence

import numpy as np

from leokit.evaluation.clip_preprocessing import crop_frames
from leokit.evaluation.clip_sampling import Clip, frame_numbers
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.video_set import VideoSet
from leokit.utils import UserError
from leokit.utils.thread_map import thread_map

FRAMES_PER_BATCH = 128  # frames that go through the network together; fixed, so that results do not depend on it


class ClipBatch(NamedTuple):
    """Decoded clips."""

    places: np.ndarray  # int64: which of the asked clips these are
    clips: list[np.ndarray]  # each uint8 (T, h, w, 3)
    failures: dict[int, str]  # clips that could not be decoded, with the reason


def batch_places(number: int, length: int, rank: int = 0, world_size: int = 1) -> list[np.ndarray]:
    """Cut clips into batches and take this process's share.

    Args:
        number (int): Number of clips.
        length (int): Frames of a clip.
        rank (int): Number of this process.
        world_size (int): Number of processes.

    Returns:
        list[np.ndarray]: Places of the clips of each batch.
    """
    size = max(1, FRAMES_PER_BATCH // length)
    batches = [np.arange(start, min(start + size, number)) for start in range(0, number, size)]
    return batches[rank::world_size]


class ClipLoader:
    """Iterates over decoded batches.

    Args:
        videos (VideoSet): The set.
        clips (Sequence[Clip]): The clips asked for.
        protocol (Protocol): Which frames they have and how these are cropped.
        batches (list[np.ndarray]): From :func:`batch_places`.
        workers (int): Decoding threads.
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
        yield from thread_map(self.load, self.batches, self.workers, ahead=self.workers)

    def load(self, places: np.ndarray) -> ClipBatch:
        """Decode one batch.

        Args:
            places (np.ndarray): Which of the clips.

        Returns:
            ClipBatch: What could be decoded, and why the rest could not.
        """
        decoded, kept, failures = [], [], {}
        handle, opened = None, None
        try:
            for place in places.tolist():
                clip = self.clips[place]
                entry = self.videos.entries[clip.video]
                try:
                    if opened != clip.video:
                        if handle is not None:
                            handle.close()
                        handle, opened = None, None
                        handle, opened = self.videos.reader.open(entry.path), clip.video
                    numbers = entry.first + frame_numbers(self.protocol.clips, clip.start, entry.frames, entry.fps)
                    decoded.append(crop_frames(handle.read(numbers), self.protocol.frames.aspect))
                    kept.append(place)
                except UserError as error:
                    failures[place] = str(error)
        finally:
            if handle is not None:
                handle.close()
        return ClipBatch(np.asarray(kept, dtype=np.int64), decoded, failures)
