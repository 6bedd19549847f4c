"""Read a folder of numbered images as a video."""

import os
import re
from pathlib import Path
from typing import Sequence

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.images import IMAGE_SUFFIXES, TRANSPARENT_BACKGROUND, read_image
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader

MAX_LISTINGS = 4096  # folder listings that a reader caches


def frame_files(folder: str | Path) -> list[str]:
    """Names of the images in a folder in natural order (``frame_2.png`` before ``frame_10.png``), not recursive.

    Hidden files are ignored.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries
                 if os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES and not entry.name.startswith('.')]
    return sorted(names, key=_natural_key)


def _natural_key(name: str) -> list:
    return [(0, int(part), '') if part.isdecimal() else (1, 0, part) for part in re.split(r'(\d+)', name) if part]


def check_companions(folder: Path, names: Sequence[str]) -> None:
    """Refuse a folder in which a frame has a second image: another format, or a mask (``7.jpg``, ``7_mask.png``)."""
    by_stem: dict[str, str] = {}
    for name in names:
        stem = os.path.splitext(name)[0]
        if stem in by_stem:
            raise UserError(f'the folder {folder} holds a frame twice ({by_stem[stem]} and {name}); keep one of each')
        by_stem[stem] = name
    for stem, name in by_stem.items():
        companion = re.fullmatch(r'(.*\w)[_\-. ]+[A-Za-z]+', stem)
        if companion and companion[1] in by_stem:
            raise UserError(f'the folder {folder} holds {name} next to {by_stem[companion[1]]}, which looks like a '
                            'mask or another version of the frame; move such images to a folder of their own')


class FrameFolderHandle(VideoHandle):
    """A folder of images opened by :class:`FrameFolderReader`.

    Args:
        path (Path): The folder.
        fps (float): Frames per second.
        names (Sequence[str]): The images in order.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """

    def __init__(self, path: Path, fps: float, *, names: Sequence[str],
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        super().__init__(path, fps)
        self._names = names
        self._background = background

    def __len__(self) -> int:
        return len(self._names)

    def close(self) -> None:
        pass  # every image is closed as soon as it has been read

    def _read(self, indices: np.ndarray) -> np.ndarray:
        wanted, positions = np.unique(indices, return_inverse=True)
        frames = [read_image(self.path / self._names[number], background=self._background) for number in wanted]
        for number, frame in zip(wanted, frames):
            if frame.shape != frames[0].shape:
                raise UserError(f'{self.path / self._names[number]} is {frame.shape[1]}x{frame.shape[0]} where '
                                f'{self._names[wanted[0]]} is {frames[0].shape[1]}x{frames[0].shape[0]}; '
                                'the frames of one video need one size')
        return np.stack([frames[position] for position in positions])


@VIDEO_READERS.register_module()
class FrameFolderReader(VideoReader):
    """Reads a folder of images, in natural order of their names, as a video.

    The listings of unchanged folders are cached.

    Args:
        fps (float): Frames per second, which folders do not store.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """

    def __init__(self, fps: float = DEFAULT_FPS, background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        self.fps = fps
        self.background = tuple(background)
        self._listings: dict[tuple, list[str]] = {}

    def open(self, path: str | Path) -> FrameFolderHandle:
        path = local_path(path)
        if not path.is_dir():
            raise UserError(f'the frame folder {path} does not exist or is a file; check the path')
        key = (str(path), path.stat().st_mtime_ns)
        names = self._listings.get(key) or frame_files(path)
        if not names:
            raise UserError(f'the folder {path} holds no images ({", ".join(sorted(IMAGE_SUFFIXES))})')
        check_companions(path, names)
        if len(self._listings) >= MAX_LISTINGS:
            self._listings.clear()
        self._listings[key] = names
        return FrameFolderHandle(path, self.fps, names=names, background=self.background)
