"""Reading a NumPy array file as a video."""

from pathlib import Path

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader, existing_file


class NpyHandle(VideoHandle):
    """An array file opened by :class:`NpyReader`; frames are read from disk when asked for.

    Args:
        path (Path): The file.
        fps (float): Frames per second; arrays do not tell.
    """

    def __init__(self, path: Path, fps: float) -> None:
        super().__init__(path, fps)
        try:
            self._frames = np.load(path, mmap_mode='r', allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise UserError(f'{path} is no readable array ({error}); save it again with numpy.save') from error
        if (not isinstance(self._frames, np.ndarray) or self._frames.dtype != np.uint8 or self._frames.ndim != 4
                or self._frames.shape[-1] != 3):
            shape = f'{self._frames.dtype} {self._frames.shape}' if hasattr(self._frames, 'shape') else 'several arrays'
            raise UserError(f'{path} holds {shape}; a video array must be uint8 RGB of shape (T, H, W, 3)')
        if self._frames.size == 0:
            raise UserError(f'{path} holds a video without frames')

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        """Forget the memory map; the file is closed when no array refers to it any more."""
        self._frames = self._frames[:0]

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return np.array(self._frames[indices])


@VIDEO_READERS.register_module()
class NpyReader(VideoReader):
    """Reads uint8 arrays of shape (T, H, W, 3), saved by ``numpy.save``, as videos.

    Args:
        fps (float): Frames per second that the arrays are said to have.
    """

    def __init__(self, fps: float = DEFAULT_FPS) -> None:
        self.fps = fps

    def open(self, path: str | Path) -> NpyHandle:
        """See :class:`VideoReader`."""
        return NpyHandle(existing_file(path), self.fps)
