"""All frames of a dataset in memory.

Threads that decode hold the interpreter lock for a third of the time of a small frame, so that more than a few are not
faster (:mod:`leokit.utils.process_streams`). Where there are enough cores and frames, processes decode instead; they
write into a block of memory that they share with this process, so that no frame is copied or sent.
"""

import os
from contextlib import closing
from typing import Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from torch import Tensor

from leokit.datasets.frame_cache import FrameCache
from leokit.datasets.frame_decoder import FrameDecoder
from leokit.utils import UserError, progress_bar
from leokit.utils.process_streams import parallel_calls, shared_block, worth_processes
from leokit.utils.thread_map import worker_count
from leokit.video.video_entry import Skipped, VideoEntry

MEMORY_SHARE = 0.9  # largest fraction of the free memory that a dataset may occupy
FRAMES_PER_PROCESS = 256  # at least; starting a process takes as long as decoding some hundred small frames


class FrameMemory:
    """A frame store that loads all frames in use into memory before the first read.

    Forked data-loader workers share the memory of their parent process.

    Args:
        source (FrameDecoder | FrameCache): Store that the frames are loaded from.
        size (int): Resolution S of the frames.
        workers (int, optional): Threads or processes that load frames. Default: one per core.
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

        processes = min(self.workers, sum(video.length for video in videos) // FRAMES_PER_PROCESS)
        block = shared_block(needed) if worth_processes(len(videos), processes, 0, 0) else None
        if block is not None:
            self._divide(block, videos)
        longest_first = sorted(videos, key=lambda video: -video.length)  # all workers end at about the same time

        def load(number: int) -> None:
            video = longest_first[number]
            out = None if block is None else self._frames[video.name].numpy()
            self._frames[video.name] = self.source.read(video, np.arange(video.first, video.last), out=out)

        errors: dict[str, UserError] = {}
        with progress_bar(len(videos), 'loading videos into memory', unit='video', show=is_main_process()) as bar, \
                closing(parallel_calls(load, len(videos), self.workers if block is None else processes,
                                       in_processes=block is not None, option='frames.workers')) as loaded:
            for number, error in loaded:
                if isinstance(error, UserError):
                    errors[longest_first[number].name] = error
                elif error is not None:
                    raise error
                bar.update()
        for video in videos:
            if video.name in errors:
                skipped.append(Skipped(str(video.path), str(errors[video.name])))
                self._frames.pop(video.name, None)
        return skipped

    def read(self, video: VideoEntry, frames: np.ndarray) -> Tensor:
        """Copy frames of a prepared video: uint8, shape (T, 3, S, S)."""
        # index_select copies whole frames; advanced indexing of uint8 tensors copies byte by byte
        return self._frames[video.name].index_select(0, torch.as_tensor(np.asarray(frames) - video.first))

    def _divide(self, block: np.ndarray, videos: Sequence[VideoEntry]) -> None:
        """Give each video its part of a block of bytes, in which its frames are to be."""
        start = 0
        for video in videos:
            end = start + video.length * 3 * self.size**2
            self._frames[video.name] = torch.from_numpy(block[start:end].reshape(-1, 3, self.size, self.size))
            start = end


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
