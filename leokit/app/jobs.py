"""A job of a visitor: frames are computed, written and reported chunk by chunk, until it ends or is canceled."""

import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from einops import rearrange
from torch import Tensor

from leokit.app.context import AppContext
from leokit.app.files import Visitor
from leokit.utils.pixels import to_uint8
from leokit.video import VideoWriter

Item = TypeVar('Item')

SHOWN_PER_SECOND = 12.5  # frames of a live view


class CanceledError(Exception):
    """The visitor has canceled the job."""


@dataclass
class Progress:
    """What a running job shows: a text, how much is done, and the newest frame of a live view, uint8 (H, W, 3)."""

    text: str
    fraction: float = 0.0
    frame: np.ndarray | None = None


@dataclass
class Result:
    """What a finished job shows: its files, and what there is to say about them."""

    paths: list[Path] = field(default_factory=list)
    text: str = ''


Updates = Iterator[Progress | Result]


class Job:
    """A job of one visitor in one tab.

    Args:
        context (AppContext): The state of the page.
        visitor (Visitor): Who asked for it.
        tab (str): Where; a new job there cancels the one before.
    """

    def __init__(self, context: AppContext, visitor: Visitor, tab: str) -> None:
        self.context = context
        self.visitor = visitor
        self._canceled: threading.Event = visitor.start(tab)

    def check(self) -> None:
        """Raise :class:`CanceledError` if the job has been canceled."""
        if self._canceled.is_set():
            raise CanceledError

    def end(self) -> None:
        """Mark the job as ended; whatever still runs of it stops."""
        self._canceled.set()

    def computed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Items computed in turn with other visitors, until the job is canceled."""
        for item in self.context.in_turn(items):
            self.check()
            yield item

    def write(self, chunks: Iterable[Tensor | np.ndarray], names: list[str], num_frames: int, fps: float, *,
              sound: str | None = None) -> Generator[Progress, None, list[Path]]:
        """Write one video for each row of the chunks, and report after each chunk.

        Args:
            chunks (Iterable): Frames in [-1, 1], shape (B, t, 3, H, W), or uint8 arrays (B, t, H, W, 3).
            names (list[str]): Names of the B files.
            num_frames (int): Frames of each video, for the progress.
            fps (float): Frames per second.
            sound (str, optional): A file whose sound the videos get, if it has any.

        Yields:
            Progress: What is done.

        Returns:
            list[Path]: The files.
        """
        paths = [self.visitor.new_file(name) for name in names]
        done = 0
        with ExitStack() as stack:
            writers = [stack.enter_context(VideoWriter(path, fps, sound=sound)) for path in paths]
            for videos in self.computed(map(_as_bytes, chunks)):
                for writer, frames in zip(writers, videos):
                    writer.write(frames)
                done += videos.shape[1]
                yield Progress(f'Frame {done} of {num_frames}', done / num_frames)
        return paths

    def write_live(self, chunks: Iterable[Tensor], name: str, num_frames: int,
                   fps: float) -> Generator[Progress, None, Path]:
        """Write a video; while a chunk is computed, the frames of the chunk before are shown one by one.

        Showing never slows the computation down: it ends as soon as the next chunk is there. Arguments as in
        :meth:`write`, for a single video.
        """
        path = self.visitor.new_file(name)
        frames = self.computed(map(_as_bytes, chunks))
        stride = max(1, round(fps / SHOWN_PER_SECOND))
        done, shown = 0, np.empty((0, 0))
        with VideoWriter(path, fps) as writer, ThreadPoolExecutor(1) as pool:
            pending = pool.submit(next, frames, None)
            while True:
                for frame in shown[::stride]:
                    yield Progress(f'Frame {done} of {num_frames}', done / num_frames, frame)
                    if wait([pending], timeout=stride / fps).done:
                        break
                videos = pending.result()
                if videos is None:
                    return path
                pending = pool.submit(next, frames, None)
                writer.write(videos[0])
                shown, done = videos[0], done + videos.shape[1]


def _as_bytes(chunk: Tensor | np.ndarray) -> np.ndarray:
    """uint8 (B, t, H, W, 3) of frames (B, t, 3, H, W), uint8 or in [-1, 1]; arrays as they are."""
    if isinstance(chunk, np.ndarray):
        return chunk
    return rearrange(to_uint8(chunk) if chunk.is_floating_point() else chunk, 'b t c h w -> b t h w c').cpu().numpy()
