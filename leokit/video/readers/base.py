"""What a video reader is: ``open(path)`` gives a handle whose frames are addressed by number."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np

from leokit.utils import UserError

DEFAULT_FPS = 25.0  # of what states no rate: arrays, folders of pictures, some containers


class VideoHandle(ABC):
    """An open video. Frame ``i`` is the i-th frame that playing the video from its start shows.

    A handle belongs to one process and one thread. Close it, or use it as a context manager.

    Attributes:
        path (Path): The file or folder.
        fps (float): Frames per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.fps = fps

    @abstractmethod
    def __len__(self) -> int:
        """int: Number of frames."""

    @abstractmethod
    def close(self) -> None:
        """Give back file handles and decoders; safe to call twice."""

    @abstractmethod
    def _read(self, indices: np.ndarray) -> np.ndarray:
        """Decode frames; ``indices`` holds at least one number, all valid, in any order, with repeats."""

    def read(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Decode the frames with these numbers.

        Args:
            indices (Sequence[int]): Frame numbers, in any order; numbers may repeat.

        Returns:
            np.ndarray: uint8 RGB frames in the order of ``indices``, shape (T, H, W, 3).

        Raises:
            ValueError: If there is no number, or one is outside 0..len-1.
            UserError: If the frames cannot be decoded.
        """
        indices = np.asarray(indices, dtype=np.int64)
        if indices.ndim != 1 or len(indices) == 0 or indices.min() < 0 or indices.max() >= len(self):
            raise ValueError(f'frame numbers must be one or more of 0..{len(self) - 1}, got {indices.tolist()}')
        return self._read(indices)

    def chunks(self, size: int, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Read the video from ``first`` up to ``last`` (excluded) in pieces, so that memory stays flat.

        Args:
            size (int): Frames per piece; the last piece may be shorter.
            first (int): First frame.
            last (int, optional): Where to stop; None is the end of the video.

        Yields:
            np.ndarray: uint8 RGB frames, shape (t, H, W, 3).
        """
        last = len(self) if last is None else last
        for start in range(first, last, size):
            yield self.read(np.arange(start, min(start + size, last)))

    def __enter__(self) -> 'VideoHandle':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class VideoReader(ABC):
    """Opens videos. A reader holds settings only, so one reader serves any number of processes and threads."""

    @abstractmethod
    def open(self, path: str | Path) -> VideoHandle:
        """Open a video.

        Args:
            path (str | Path): A file or a folder.

        Returns:
            VideoHandle: The open video, with at least one frame.

        Raises:
            UserError: If there is no such video, it is not one that this reader reads, it is broken or empty.
        """


def existing_file(path: str | Path) -> Path:
    """Check that a video file is there and not empty.

    Args:
        path (str | Path): The file.

    Returns:
        Path: The same path.

    Raises:
        UserError: If it is missing, a folder or empty.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f'{path} is a folder, not a video file; use FrameFolderReader or AutoReader for frame folders')
    if not path.exists():
        raise UserError(f'the video {path} does not exist; check the path')
    if path.stat().st_size == 0:
        raise UserError(f'the video {path} is empty (0 bytes); fetch or convert it again')
    return path
