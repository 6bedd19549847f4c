"""Frames of a data set kept in memory."""

import os
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from leokit.datasets.frame_decoder import FrameStore
from leokit.utils import UserError, progress_bar
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.video_entry import Skipped, VideoEntry

MEMORY_SHARE = 0.9  # of the memory that is free, the most that a data set may take


class FrameMemory:
    """Keeps the frames in use of every video in memory.

    Data-loader workers that are forked share the memory of their parent.

    Args:
        source (FrameStore): Where the frames come from, once.
        size (int): Side S of the frames.
        workers (int, optional): Threads that load; all cores by default.
    """

    def __init__(self, source: FrameStore, size: int, *, workers: int | None = None) -> None:
        self.source = source
        self.size = size
        self.workers = workers or worker_count()
        self._frames: dict[str, Tensor] = {}

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Load the frames in use of all videos, with progress.

        Args:
            videos (Sequence[VideoEntry]): The videos.

        Returns:
            list[Skipped]: Videos that cannot be read.

        Raises:
            UserError: If they do not fit into the memory that is free.
        """
        skipped = self.source.prepare(videos)
        bad = {file for file, _ in skipped}
        videos = [video for video in videos if str(video.path) not in bad]
        needed = sum(video.length for video in videos) * 3 * self.size**2
        available = _free_memory()
        if available is not None and needed > MEMORY_SHARE * available:
            raise UserError(f'frames.in_memory needs {needed / 2**30:.1f} GiB for {len(videos)} videos at side '
                            f'{self.size}, {available / 2**30:.1f} GiB are free; use frames.cache_dir instead')

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
        # index_select copies frame by frame; indexing with [...] goes byte by byte
        return self._frames[video.name].index_select(0, torch.as_tensor(np.asarray(frames) - video.first))


def _free_memory() -> int | None:
    """Bytes that can be taken without swapping, where the system tells."""
    try:
        with open('/proc/meminfo') as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith('MemAvailable:'))
    except (OSError, StopIteration, ValueError):
        try:
            return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
        except (AttributeError, OSError, ValueError):
            return None
