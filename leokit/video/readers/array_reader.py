"""Reading the arrays that generators dump: float pixels, or many clips in one file.

A file ``samples.npy`` of shape (N, T, H, W, 3) is N videos, named ``samples.npy#0`` … ``samples.npy#N-1``. Bytes are
taken as they are. Floating-point pixels have no range that a file could tell (a dark video in [0, 1] is a bright one
in [-1, 1]), so the range has to be stated; values outside it, and NaN, make the video unreadable.
"""

import threading
from pathlib import Path

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader

HEADERS = threading.Lock()  # NumPy parses headers with ast, which some CPythons cannot in two threads at once
ITEM_MARK = '#'
RANGE_TOLERANCE = 1e-3  # of the range: generators overshoot by rounding
RANGES = {'-1:1': (-1.0, 1.0), '0:1': (0.0, 1.0), '0:255': (0.0, 255.0)}


def split_item(path: str | Path) -> tuple[Path, int | None]:
    """``samples.npy#3`` -> (``samples.npy``, 3); a path without a number gives None."""
    name, mark, item = str(path).rpartition(ITEM_MARK)
    return (Path(name), int(item)) if mark and item.isdecimal() and name.endswith('.npy') else (Path(path), None)


def open_array(path: str | Path) -> np.ndarray:
    """Map an array file into memory.

    Args:
        path (str | Path): A file written by ``numpy.save``.

    Returns:
        np.ndarray: Shape (T, H, W, 3) or (N, T, H, W, 3).

    Raises:
        UserError: If it cannot be read or has another shape.
    """
    try:
        with HEADERS:
            array = np.load(path, mmap_mode='r', allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(f'{path} is no readable array ({error}); save it again with numpy.save') from error
    if not isinstance(array, np.ndarray) or array.ndim not in (4, 5) or array.shape[-1] != 3:
        shape = getattr(array, 'shape', 'several arrays')
        raise UserError(f'{path} has shape {shape}; videos must be RGB of shape (T, H, W, 3) or (N, T, H, W, 3)')
    return array


class ArrayHandle(VideoHandle):
    """A video in an array.

    Args:
        path (Path): The file, with its item.
        fps (float): Frames per second; arrays do not tell.
        frames (np.ndarray): The mapped video, shape (T, H, W, 3).
        value_range (tuple[float, float], optional): Lowest and highest value of floating-point pixels.
    """

    def __init__(self, path: Path, fps: float, *, frames: np.ndarray,
                 value_range: tuple[float, float] | None) -> None:
        super().__init__(path, fps)
        self._frames, self._range = frames, value_range

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        """Forget the memory map; the file is closed when no array refers to it any more."""
        self._frames = self._frames[:0]

    def _read(self, indices: np.ndarray) -> np.ndarray:
        frames = np.array(self._frames[indices])
        if frames.dtype == np.uint8:
            return frames
        low, high = self._range
        frames = frames.astype(np.float64)
        finite = np.isfinite(frames)
        if not finite.all():
            bad = int(indices[np.flatnonzero(~finite.all((1, 2, 3)))[0]])
            raise UserError(f'frame {bad} of {self.path} holds NaN or infinity; the model that made it has failed')
        slack = RANGE_TOLERANCE * (high - low)
        if frames.min() < low - slack or frames.max() > high + slack:
            raise UserError(f'{self.path} holds values from {frames.min():.4g} to {frames.max():.4g}, outside the '
                            f'stated range {low:g}:{high:g}; state the right one with --float-range')
        return np.rint((frames.clip(low, high) - low) * (255 / (high - low))).astype(np.uint8)


@VIDEO_READERS.register_module()
class SampleArrayReader(VideoReader):
    """Reads arrays of bytes or floating-point pixels, one or many videos a file.

    Args:
        fps (float): Frames per second that arrays are said to have.
        float_range (str, optional): Range of floating-point pixels: '-1:1', '0:1' or '0:255'. Without it only bytes
            are read.
    """

    def __init__(self, fps: float = DEFAULT_FPS, float_range: str | None = None) -> None:
        if float_range is not None and float_range not in RANGES:
            raise UserError(f'the float range must be one of {", ".join(RANGES)}, got {float_range!r}')
        self.fps = fps
        self.float_range = float_range

    def open(self, path: str | Path) -> ArrayHandle:
        """See :class:`VideoReader`."""
        file, item = split_item(path)
        array = open_array(file)
        if (array.ndim == 5) != (item is not None):
            raise UserError(f'{file} has shape {array.shape}; name one of several videos as {file.name}#0')
        frames = array if item is None else array[item]
        if frames.size == 0:
            raise UserError(f'{path} holds a video without frames')
        if frames.dtype != np.uint8 and not np.issubdtype(frames.dtype, np.floating):
            raise UserError(f'{path} holds {frames.dtype} values; save uint8, or floating point with a stated range')
        if frames.dtype != np.uint8 and self.float_range is None:
            raise UserError(f'{path} holds {frames.dtype} pixels, whose range no file can tell; state it with '
                            '--float-range=-1:1, 0:1 or 0:255')
        return ArrayHandle(Path(path), self.fps, frames=frames, value_range=RANGES.get(self.float_range))
