"""Reading a folder of numbered pictures as a video."""

import os
import re
from pathlib import Path
from typing import Sequence

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.images import IMAGE_SUFFIXES, read_image
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader

MAX_LISTINGS = 4096  # that a reader remembers


def frame_files(folder: str | Path) -> list[str]:
    """The pictures of a folder in natural order: ``frame_2.png`` comes before ``frame_10.png``.

    Args:
        folder (str | Path): The folder; it is not searched recursively, and hidden files do not count.

    Returns:
        list[str]: File names; empty if there are none.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries
                 if os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES and not entry.name.startswith('.')]
    return sorted(names, key=_natural_key)


def _natural_key(name: str) -> list:
    return [(0, int(part), '') if part.isdecimal() else (1, 0, part) for part in re.split(r'(\d+)', name) if part]


class FrameFolderHandle(VideoHandle):
    """A folder of pictures opened by :class:`FrameFolderReader`.

    Args:
        path (Path): The folder.
        fps (float): Frames per second; pictures do not tell.
        names (Sequence[str]): The pictures in order.
    """

    def __init__(self, path: Path, fps: float, *, names: Sequence[str]) -> None:
        super().__init__(path, fps)
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def close(self) -> None:
        """Nothing to do: every picture is closed as soon as it has been read."""

    def _read(self, indices: np.ndarray) -> np.ndarray:
        wanted, places = np.unique(indices, return_inverse=True)
        frames = [read_image(self.path / self._names[number]) for number in wanted]
        for number, frame in zip(wanted, frames):
            if frame.shape != frames[0].shape:
                raise UserError(f'{self.path / self._names[number]} is {frame.shape[1]}x{frame.shape[0]} where '
                                f'{self._names[wanted[0]]} is {frames[0].shape[1]}x{frames[0].shape[0]}; '
                                'the frames of one video need one size')
        return np.stack([frames[place] for place in places])


@VIDEO_READERS.register_module()
class FrameFolderReader(VideoReader):
    """Reads a folder of pictures, in natural order of their names, as a video.

    The reader remembers the listings of unchanged folders.

    Args:
        fps (float): Frames per second that the folders are said to have.
    """

    def __init__(self, fps: float = DEFAULT_FPS) -> None:
        self.fps = fps
        self._listings: dict[tuple, list[str]] = {}

    def open(self, path: str | Path) -> FrameFolderHandle:
        """See :class:`VideoReader`."""
        path = Path(path)
        if not path.is_dir():
            raise UserError(f'the frame folder {path} does not exist or is a file; check the path')
        key = (str(path), path.stat().st_mtime_ns)
        names = self._listings.get(key) or frame_files(path)
        if not names:
            raise UserError(f'the folder {path} holds no pictures ({", ".join(sorted(IMAGE_SUFFIXES))})')
        if len(self._listings) >= MAX_LISTINGS:
            self._listings.clear()
        self._listings[key] = names
        return FrameFolderHandle(path, self.fps, names=names)
