"""All frames of a dataset in memory."""

import os
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.utils import UserError, progress_bar
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.video_entry import Skipped, VideoEntry

MEMORY_SHARE = 0.9  # largest fraction of the free memory that a dataset may occupy


class FrameMemory:
    """A frame store that loads all frames in use into memory before the first read.

    Forked data-loader workers share the memory of their parent process.

    Args:
        source (FrameDecoder | FrameCache): Store that the frames are loaded from.
        size (int): Resolution S of the frames.
        workers (int, optional): Threads that load frames. Default: one per core.
    """

    def __init__(self, source: FrameDecoder | FrameCache, size: int, *, workers: int | None = None) -> None:
        self.source = source
        self.size = size
        self.workers = workers or worker_count()
        self._frames: dict[str, Tensor] = {}

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Load the frames in use of all videos, with a progress bar; return the videos that cannot be read."""
        skipped = self.source.prepare(videos)
        bad = {file for file, _ in skipped}
        videos = [video for video in videos if str(video.path) not in bad]
        needed = sum(video.length for video in videos) * 3 * self.size**2
        available = _free_memory()
        if available is not None and needed > MEMORY_SHARE * available:
            raise UserError(f'frames.in_memory needs {needed / 2**30:.1f} GiB for {len(videos)} videos at resolution '
                            f'{self.size}, but only {available / 2**30:.1f} GiB are free; use frames.cache_dir instead')

        def load(video: VideoEntry) -> Tensor | str:
            try:
                return self.source.read(video, np.arange(video.first, video.last))
            except UserError as error:
                return str(error)

        with progress_bar(len(videos), 'loading videos into memory', unit='video', show=is_main_process()) as bar:
            for video, loaded in zip(videos, thread_map(load, videos, self.workers)):
                if isinstance(loaded, str):
                    skipped.append(Skipped(str(video.path), loaded))
                else:
                    self._frames[video.name] = loaded
                bar.update()
        return skipped

    def read(self, video: VideoEntry, frames: np.ndarray) -> Tensor:
        """Copy frames of a prepared video: uint8, shape (T, 3, S, S)."""
        # index_select copies whole frames; advanced indexing of uint8 tensors copies byte by byte
        return self._frames[video.name].index_select(0, torch.as_tensor(np.asarray(frames) - video.first))


def _free_memory() -> int | None:
    """Bytes that can be allocated without swapping; None where the operating system does not report them."""
    try:
        with open('/proc/meminfo') as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith('MemAvailable:'))
    except (OSError, StopIteration, ValueError):
        try:
            return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        except (AttributeError, OSError, ValueError):
            return None
