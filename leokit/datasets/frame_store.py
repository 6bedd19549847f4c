"""Frame stores: decoded frames of a dataset's videos, from the video files, a disk cache or memory."""

from pathlib import Path
from typing import Protocol, Sequence

import numpy as np
from torch import Tensor

from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.datasets.frame_memory import FrameMemory
from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers import VideoReader
from leokit.video.video_entry import Skipped, VideoEntry

KEYS = ('reader', 'crop', 'cache_dir', 'in_memory', 'workers')


class FrameStore(Protocol):
    """Frames of a dataset's videos at resolution S."""

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Do the work that is needed once, before the first read; return the videos that cannot be read."""

    def read(self, video: VideoEntry, frames: np.ndarray) -> Tensor:
        """Read frames by their numbers in the file, shape (T,): uint8, shape (T, 3, S, S)."""


def build_frame_store(size: int, config: dict | None = None) -> tuple[FrameStore, VideoReader]:
    """Build the frame store that a dataset's ``frames`` config describes.

    Args:
        size (int): Resolution S of the frames.
        config (dict, optional): ``reader`` (config in VIDEO_READERS; default ``AutoReader``), ``crop`` (``'center'``
            or ``'none'``), ``cache_dir`` (decode every video once into this folder), ``in_memory`` (keep all frames in
            memory), ``workers`` (threads that fill cache and memory; default: one per core).

    Returns:
        tuple[FrameStore, VideoReader]: The store, and the reader for probing the videos.
    """
    config = config or {}
    for key in config:
        if key not in KEYS:
            raise UserError(f'unknown key {key!r} in frames; the keys are {", ".join(KEYS)}')
    return _build(size, **config)


def _build(size: int, *, reader: dict | None = None, crop: str = 'center', cache_dir: str | Path | None = None,
           in_memory: bool = False, workers: int | None = None) -> tuple[FrameStore, VideoReader]:
    decoder = FrameDecoder(size, crop, reader=VIDEO_READERS.build(reader) if reader else None)
    store = FrameCache(decoder, cache_dir, workers=workers) if cache_dir else decoder
    return (FrameMemory(store, size, workers=workers) if in_memory else store), decoder.reader
