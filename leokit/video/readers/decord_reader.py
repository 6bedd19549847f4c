"""Read video files with decord (https://github.com/dmlc/decord); optional, chosen by ``reader`` in a config."""

from pathlib import Path

import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import VideoHandle, VideoReader
from leokit.video.readers.pyav_reader import PyAVReader


class DecordHandle(VideoHandle):
    """A video file opened by :class:`DecordReader`.

    Args:
        path (Path): The file.
        fps (float): Frames per second.
        video (decord.VideoReader): The opened file.
    """

    def __init__(self, path: Path, fps: float, *, video: object) -> None:
        super().__init__(path, fps)
        self._video = video
        self._length = len(video)

    def __len__(self) -> int:
        return self._length

    def close(self) -> None:
        self._video = None

    def _read(self, indices: np.ndarray) -> np.ndarray:
        import decord  # optional package
        if self._video is None:
            raise ValueError(f'{self.path} has been closed')
        wanted, positions = np.unique(indices, return_inverse=True)  # decord reads increasing numbers without seeking
        try:
            frames = self._video.get_batch(wanted.tolist()).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise UserError(f'decord cannot decode frames of {self.path}; fetch or convert it again') from error
        return frames[positions]


@VIDEO_READERS.register_module()
class DecordReader(VideoReader):
    """Reads video files with decord.

    decord counts and seeks by the container's packets. It returns wrong frames, without an error, for files that
    start without a key frame, have open GOPs or hide frames with an edit list. Such files are detected by indexing
    the packets first, and refused; :class:`PyAVReader` reads them.

    Args:
        threads (int): Decoder threads of each open video.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self._pyav = PyAVReader()

    def open(self, path: str | Path) -> DecordHandle:
        try:
            import cv2  # noqa: F401  (OpenCV cannot read images in a process that loads decord before it)
            import decord  # optional package
        except ImportError as error:
            raise UserError('DecordReader needs the optional package decord, which has wheels for x86-64 Linux; '
                            'pip install decord, or use PyAVReader') from error
        with self._pyav.open(path) as checked:
            index, fps = checked.index, checked.fps
            path = checked.path
        if not index.plain:
            raise UserError(f'decord cannot find the frames of {path} exactly; read it with PyAVReader or AutoReader')
        try:
            video = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=self.threads)
        except (decord.DECORDError, RuntimeError) as error:
            raise UserError(f'decord cannot open {path}; read it with PyAVReader or AutoReader') from error
        if len(video) != len(index):
            raise UserError(f'decord finds {len(video)} frames in {path} where there are {len(index)}; '
                            'read it with PyAVReader or AutoReader')
        return DecordHandle(path, fps, video=video)

