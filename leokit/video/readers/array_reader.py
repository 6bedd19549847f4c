"""Read ``.npy`` and ``.npz`` arrays as videos: bytes or floating-point pixels, one video or several in a file.

A file ``samples.npy`` of shape (N, T, H, W, 3) holds N videos, named ``samples.npy#0`` … ``samples.npy#N-1``. Of an
``.npz`` archive, ``arr_0`` or the only array is read; it must be uncompressed, as by ``numpy.savez``.
"""

import struct
import threading
import zipfile
from pathlib import Path

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader, existing_file

ARRAY_SUFFIXES = ('.npy', '.npz')
ITEM_MARK = '#'
RANGES = {'-1:1': (-1.0, 1.0), '0:1': (0.0, 1.0), '0:255': (0.0, 255.0)}
RANGE_TOLERANCE = 1e-3  # of the range: generators overshoot by rounding
_HEADER_LOCK = threading.Lock()  # NumPy parses headers with ast, which some CPythons cannot in two threads at once


def split_item(path: str | Path) -> tuple[Path, int | None]:
    """``samples.npy#3`` -> (``samples.npy``, 3); a path without a number gives None."""
    name, mark, item = str(path).rpartition(ITEM_MARK)
    return (Path(name), int(item)) if mark and item.isdecimal() and is_array(name) else (Path(path), None)


def is_array(path: str | Path) -> bool:
    """True for ``.npy`` and ``.npz`` files and the videos in them, by the name alone."""
    name, _, item = str(path).rpartition(ITEM_MARK)
    return Path(name if item.isdecimal() else path).suffix.lower() in ARRAY_SUFFIXES


def open_array(path: str | Path) -> np.ndarray:
    """Map an array file into memory.

    Args:
        path (str | Path): A file written by ``numpy.save`` or ``numpy.savez``.

    Returns:
        np.ndarray: Shape (T, H, W, 3) or (N, T, H, W, 3), of any type.
    """
    path = existing_file(path)
    try:
        with _HEADER_LOCK:
            array = _map_archive(path) if path.suffix.lower() == '.npz' else \
                np.load(path, mmap_mode='r', allow_pickle=False)
    except UserError:
        raise
    except Exception as error:  # of damaged headers NumPy raises many types
        raise UserError(f'{path} is not a readable array ({error}); save it again with numpy.save') from error
    if not isinstance(array, np.ndarray) or array.ndim not in (4, 5) or array.shape[-1] != 3:
        shape = f'has shape {array.shape}' if isinstance(array, np.ndarray) else 'holds several arrays'
        raise UserError(f'{path} {shape}; videos must be RGB of shape (T, H, W, 3) or (N, T, H, W, 3)')
    return array


def _map_archive(path: Path) -> np.ndarray:
    """Map ``arr_0``, or the only array, of an uncompressed ``.npz`` archive into memory."""
    with zipfile.ZipFile(path) as archive:
        members = {Path(info.filename).stem: info for info in archive.infolist()}
        name = 'arr_0' if 'arr_0' in members else next(iter(members), None)
        if name is None or (name != 'arr_0' and len(members) > 1):
            raise UserError(f'{path} holds the arrays {", ".join(members) or "(none)"}; save the videos alone, as .npy')
        if members[name].compress_type != zipfile.ZIP_STORED:
            raise UserError(f'{path} is compressed; save its array with numpy.save as .npy')
        start = members[name].header_offset
    with path.open('rb') as file:
        file.seek(start)
        header = file.read(30)  # the local header ends with the lengths of two fields that follow it
        file.seek(start + 30 + sum(struct.unpack('<HH', header[26:30])))
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
        if dtype.hasobject:
            raise UserError(f'{path} holds Python objects, not pixels; save uint8')
        return np.memmap(path, dtype, 'r', file.tell(), shape, 'F' if fortran else 'C')


class ArrayHandle(VideoHandle):
    """A video in an array; frames are read from disk when they are requested.

    Args:
        path (Path): The file, with the number of the video if it holds several.
        fps (float): Frames per second.
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
        self._frames = self._frames[:0]  # the file is closed when no array refers to its map any more

    def _read(self, indices: np.ndarray) -> np.ndarray:
        frames = np.array(self._frames[indices])
        if frames.dtype == np.uint8:
            return frames
        low, high = self._range
        frames = frames.astype(np.float64)
        finite = np.isfinite(frames)
        if not finite.all():
            bad = int(indices[np.flatnonzero(~finite.all((1, 2, 3)))[0]])
            raise UserError(f'frame {bad} of {self.path} holds NaN or infinity; the model that generated it has failed')
        slack = RANGE_TOLERANCE * (high - low)
        if frames.min() < low - slack or frames.max() > high + slack:
            raise UserError(f'{self.path} holds values from {frames.min():.4g} to {frames.max():.4g}, outside the '
                            f'stated range {low:g}:{high:g}; state the right one with --float-range')
        return np.rint((frames.clip(low, high) - low) * (255 / (high - low))).astype(np.uint8)


@VIDEO_READERS.register_module()
class ArrayReader(VideoReader):
    """Reads arrays saved by ``numpy.save`` or ``numpy.savez``.

    uint8 pixels are taken as they are. A file does not store the range of floating-point pixels (a dark video in
    [0, 1] is a bright one in [-1, 1]), so it has to be stated; values outside it, and NaN, make the video unreadable.

    Args:
        fps (float): Frames per second, which arrays do not store.
        float_range (str, optional): Range of floating-point pixels: '-1:1', '0:1' or '0:255'. Without it only uint8
            is read.
    """

    def __init__(self, fps: float = DEFAULT_FPS, float_range: str | None = None) -> None:
        if float_range is not None and float_range not in RANGES:
            raise UserError(f'the float range must be one of {", ".join(RANGES)}, got {float_range!r}')
        self.fps = fps
        self.float_range = float_range

    def open(self, path: str | Path) -> ArrayHandle:
        file, item = split_item(path)
        array = open_array(file)
        if not len(array):
            raise UserError(f'{file} has shape {array.shape}, without frames of a video')
        if (array.ndim == 5) != (item is not None):
            raise UserError(f'{file} has shape {array.shape}; name one of several videos as {file.name}#0')
        if item is not None and item >= len(array):
            raise UserError(f'{path} does not exist; {file} holds {len(array)} videos, counted from 0')
        frames = array if item is None else array[item]
        if frames.size == 0:
            raise UserError(f'{path} holds a video without frames')
        if frames.dtype != np.uint8 and not np.issubdtype(frames.dtype, np.floating):
            raise UserError(f'{path} holds {frames.dtype} values; save uint8, or floating point with a stated range')
        if frames.dtype != np.uint8 and self.float_range is None:
            raise UserError(f'{path} holds {frames.dtype} pixels of unknown range; save uint8, or state the range: '
                            '--float-range=-1:1, 0:1 or 0:255 of leokit evaluate, float_range of the reader in a '
                            'config')
        return ArrayHandle(Path(path), self.fps, frames=frames, value_range=RANGES.get(self.float_range))
