"""Base classes of video readers: ``open(path)`` returns a handle whose frames are addressed by number."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np

from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.frame_fit import FrameFit, fit_whole
from leokit.video.frame_rate import DEFAULT_FPS as DEFAULT_FPS
from leokit.video.frame_rate import RATE_TOLERANCE, is_same_rate, regular_times, resampled_indices
from leokit.video.yuv420 import Yuv420Frames


def _spell(value: object) -> str:
    if isinstance(value, VideoReader):
        return value.signature()
    return f'[{", ".join(map(_spell, value))}]' if isinstance(value, (list, tuple)) else repr(value)

MAX_CHUNK_BYTES = 1 << 30  # of decoded frames that are in memory at a time


class VideoHandle(ABC):
    """An open video. Frame ``i`` is what playing the video from its start shows at the time ``i / fps``.

    A video of constant rate has the frames of its file; one of variable rate is resampled to its mean rate by time.
    Not shared between processes or threads. Close it, or use it as a context manager.

    Attributes:
        path (Path): The file or folder.
        fps (float): Frames per second.
        stores_rate (bool): The rate comes from the file, not from an option.
    """

    stores_rate = False

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.fps = fps

    @abstractmethod
    def __len__(self) -> int:
        """int: Number of frames."""

    @abstractmethod
    def close(self) -> None:
        """Release file handles and decoders; safe to call twice."""

    @abstractmethod
    def _read(self, indices: np.ndarray) -> np.ndarray:
        """Decode frames; ``indices`` is not empty and valid, in any order, with repeats."""

    def read(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Decode frames.

        Args:
            indices (Sequence[int] | np.ndarray): At least one frame number; in any order, repeats allowed.

        Returns:
            np.ndarray: uint8 RGB frames in the order of ``indices``, shape (T, H, W, 3).
        """
        indices = np.asarray(indices, dtype=np.int64)
        self._check_numbers(indices)
        return self._read(indices)

    def read_fitted(self, indices: Sequence[int] | np.ndarray, fit: FrameFit) -> np.ndarray:
        """As :meth:`read`, but only what a model sees of the frames; the other pixels are not converted to RGB.

        Args:
            indices (Sequence[int] | np.ndarray): See :meth:`read`.
            fit (FrameFit): What the model sees.

        Returns:
            np.ndarray: uint8 RGB, shape (T, S, S, 3).
        """
        indices = np.asarray(indices, dtype=np.int64)
        self._check_numbers(indices)
        return self._read_fitted(indices, [fit] * len(indices))

    def _read_fitted(self, indices: np.ndarray, fits: Sequence[FrameFit]) -> np.ndarray:
        """Decode frames, each with a fit of its own; ``indices`` as in :meth:`_read`."""
        return np.stack([fit_whole(frame, fit) for frame, fit in zip(self._read(indices), fits)])

    def _check_numbers(self, indices: np.ndarray) -> None:
        if indices.ndim != 1 or len(indices) == 0 or indices.min() < 0 or indices.max() >= len(self):
            raise ValueError(f'frame numbers must be one or more of 0..{len(self) - 1}, got {indices.tolist()}')

    def convert_in_threads(self, threads: int) -> None:  # noqa: B027
        """Convert the colors of frames in so many threads while the next ones are decoded, where that is possible."""

    @property
    def frame_bytes(self) -> int:
        """int: Size of a decoded frame; 0 if it is not known before decoding."""
        return 0

    def chunk_length(self, size: int) -> int:
        """At most ``size`` frames, fewer if they are so large that they would fill the memory."""
        return max(1, min(size, MAX_CHUNK_BYTES // self.frame_bytes)) if self.frame_bytes else size

    def chunks(self, size: int, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Decode consecutive frames in chunks, so that memory does not grow with the length.

        Args:
            size (int): Frames per chunk; the last chunk may be shorter, and so are chunks of very large frames.
            first (int): First frame.
            last (int, optional): End (excluded); None is the end of the video.

        Yields:
            np.ndarray: uint8 RGB frames, shape (t, H, W, 3).
        """
        yield from map(self.read, self._spans(size, first, last))

    def fitted_chunks(self, fit: FrameFit, size: int, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """As :meth:`chunks`, but only what a model sees; see :meth:`read_fitted`.

        Yields:
            np.ndarray: uint8 RGB, shape (t, S, S, 3).
        """
        for indices in self._spans(size, first, last):
            yield self.read_fitted(indices, fit)

    def _spans(self, size: int, first: int, last: int | None) -> Iterator[np.ndarray]:
        """The frame numbers of consecutive chunks."""
        last = len(self) if last is None else last
        size = self.chunk_length(size)
        for start in range(first, last, size):
            yield np.arange(start, min(start + size, last))

    @property
    def yuv420_size(self) -> tuple[int, int] | None:
        """tuple[int, int] | None: H and W of frames that :meth:`yuv420_chunks` may give as they are stored."""
        return None

    def yuv420_chunks(self, size: int, first: int = 0,
                      last: int | None = None) -> Iterator[np.ndarray | Yuv420Frames]:
        """As :meth:`chunks`, but frames may stay in 4:2:0, to be converted on a GPU.

        Yields:
            np.ndarray | Yuv420Frames: uint8 RGB (t, H, W, 3), or the planes (t, H * 3 / 2, W).
        """
        yield from self.chunks(size, first, last)

    def at_rate(self, fps: float) -> 'VideoHandle':
        """This video at another constant rate, resampled by time; closing the result closes this video."""
        return self if is_same_rate(fps, self.fps) else ResampledHandle(self, fps)

    def state_rate(self, fps: float) -> None:
        """Set the rate of a video whose own is missing or wrong; its frames are then evenly spaced."""
        self.fps = fps

    @property
    def marked_damaged(self) -> int:
        """int: Packets of the file that are marked as damaged; their frames are left out."""
        return 0

    def find_damage(self) -> np.ndarray:
        """Frames of the file that are damaged or may refer to damaged ones, bool (frames of the file,)."""
        return np.zeros(len(self), bool)

    def file_indices(self, indices: np.ndarray) -> np.ndarray:
        """Numbers of the frames of the file that are shown as the frames ``indices`` of this video."""
        return indices

    def _source_times(self) -> np.ndarray:
        """Presentation times in seconds of the frames of the file."""
        return regular_times(len(self), self.fps)

    def _read_source(self, indices: np.ndarray) -> np.ndarray:
        """Decode frames of the file by their number."""
        return self._read(indices)

    def _read_source_fitted(self, indices: np.ndarray, fits: Sequence[FrameFit]) -> np.ndarray:
        """Decode frames of the file by their number, each with a fit of its own."""
        return np.stack([fit_whole(frame, fit) for frame, fit in zip(self._read_source(indices), fits)])

    def __enter__(self) -> 'VideoHandle':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class ResampledHandle(VideoHandle):
    """An open video at another constant rate; see :func:`~leokit.video.frame_rate.resampled_indices`.

    Args:
        video (VideoHandle): The open video.
        fps (float): The new rate.
    """

    def __init__(self, video: VideoHandle, fps: float) -> None:
        super().__init__(video.path, fps)
        self.stores_rate = video.stores_rate
        self.video = video
        self.indices = resampled_indices(video._source_times(), fps, video.fps)

    def __len__(self) -> int:
        return len(self.indices)

    def close(self) -> None:
        self.video.close()

    def convert_in_threads(self, threads: int) -> None:
        self.video.convert_in_threads(threads)

    @property
    def marked_damaged(self) -> int:
        return self.video.marked_damaged

    def at_rate(self, fps: float) -> VideoHandle:
        return self if is_same_rate(fps, self.fps) else self.video.at_rate(fps)

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self.video._read_source(self.indices[indices])

    def _read_fitted(self, indices: np.ndarray, fits: Sequence[FrameFit]) -> np.ndarray:
        return self.video._read_source_fitted(self.indices[indices], fits)


READER_VERSION = 3  # incremented when the readers give other frames for the same file


class VideoReader(ABC):
    """Opens videos. A reader holds settings only, so one reader serves any number of processes and threads."""

    def signature(self) -> str:
        """A text that differs between readers whose frames of the same file may differ; part of the keys of caches."""
        settings = ', '.join(f'{name}={_spell(value)}' for name, value in sorted(vars(self).items())
                             if not name.startswith('_'))
        return f'{type(self).__name__}({settings})@{READER_VERSION}'

    @abstractmethod
    def open(self, path: str | Path) -> VideoHandle:
        """Open a video file or a frame folder with at least one frame.

        Raises:
            UserError: If the video does not exist, is broken or empty, or is of a kind that this reader does not read.
        """


def open_at_rate(reader: VideoReader, path: str | Path, source_fps: float, fps: float | None) -> VideoHandle:
    """Open a video at a rate; ``source_fps`` is that of its :class:`VideoEntry`, which a manifest may state."""
    video = reader.open(path)
    if source_fps and not (video.stores_rate and is_same_rate(video.fps, source_fps, RATE_TOLERANCE)):
        video.state_rate(source_fps)
    return video.at_rate(fps) if fps else video


def existing_file(path: str | Path) -> Path:
    """Return the path of a video file; a :class:`UserError` if it is missing, a folder or empty."""
    path = local_path(path)
    if path.is_dir():
        raise UserError(f'{path} is a folder, not a video file; use FrameFolderReader or AutoReader for frame folders')
    if not path.exists():
        raise UserError(f'the video {path} does not exist; check the path')
    if path.stat().st_size == 0:
        raise UserError(f'the video {path} is empty (0 bytes); fetch or convert it again')
    return path
