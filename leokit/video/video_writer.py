"""Write videos of any length frame by frame: H.264, GIF, an array or a folder of PNG files."""

import os
import re
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Iterator

import av
import numpy as np
from torch import Tensor

from leokit.utils import UserError
from leokit.utils.files import clear_write_errors, local_path, make_folder, part_path, remove, remove_empty, replace
from leokit.utils.pixels import to_uint8
from leokit.video.frame_rate import exact_rate
from leokit.video.h264 import H264_SUFFIXES, check_encoder, check_h264_options
from leokit.video.sound import sound_problem
from leokit.video.video_sinks import ArraySink, FolderSink, GifSink, H264Sink, Sink
from leokit.video.yuv420 import can_be_yuv420

FRAME_FILE = re.compile(r'\d{6,}\.png')  # what FolderSink writes
MAX_CLAIMS = 10
MAX_GIF_FPS = 50  # delays are whole hundredths of a second, and browsers slow down delays of less than two


class VideoWriter:
    """Write frames to a video file or a frame folder as they arrive, in constant memory.

    The suffix of the name is the format: ``.mp4``, ``.mkv``, ``.mov`` hold H.264 (limited range), ``.gif`` a looped
    animation with a palette for each frame, ``.npy`` the array uint8 (T, H, W, 3); a name without a suffix is a folder
    of PNG files ``000000.png``, ``000001.png``, ... Frames are never rescaled; arrays and PNG files are lossless. In
    H.264, frames of odd height or width are padded to even sizes by repeating their last row or column.
    The file is written as ``<name>.part<suffix>`` and gets its name when the writer closes; it is removed if the block
    raises, with the folders that were created for it.

    Example::

        with VideoWriter('out.mp4', fps=25) as writer:
            for chunk in chunks:  # (T, 3, H, W) in [-1, 1], any T
                writer.write(chunk)

    Args:
        path (str | Path): The video; an existing file is replaced, a folder with files in it is refused.
        fps (float): Frames per second.
        crf (int): H.264 quality, 0 lossless to 51. Default: 18, visually lossless.
        keyframe_interval (int, optional): Most H.264 frames from one key frame to the next; a small value makes reading
            single frames cheap. Default: the encoder's own.
        threads (int): H.264 encoder threads; 0 lets the encoder choose.
        pixel_format (str): H.264 chroma: 'yuv420p', which every player shows, or 'yuv444p', full resolution, which
            browsers do not show.
        color_matrix (str): 'bt601' or 'bt709'; see :mod:`leokit.video.h264`.
        sound (str | Path, optional): A file whose sound is copied; see :mod:`leokit.video.sound`. Only ``.mp4``,
            ``.mkv`` and ``.mov`` have sound.
        encoder (str): The H.264 encoder: 'libx264', or one of the hardware, such as 'h264_nvenc', for which ``crf`` is
            its own scale of constant quality.
    """

    def __init__(self, path: str | Path, fps: float, *, crf: int = 18, keyframe_interval: int | None = None,
                 threads: int = 0, pixel_format: str = 'yuv420p', color_matrix: str = 'bt601',
                 sound: str | Path | None = None, encoder: str = 'libx264') -> None:
        if fps <= 0:
            raise ValueError(f'fps must be positive, got {fps}')
        check_h264_options(pixel_format, color_matrix)
        check_encoder(encoder)
        self.path = local_path(path)
        self.fps = fps
        self.num_frames = 0
        self._pixel_format = pixel_format
        self._shape: tuple[int, ...] | None = None  # (H, W, 3) of the frames
        self._closed = False
        rate = exact_rate(fps)
        _check_path(self.path, rate)
        if sound is not None and (problem := sound_problem(sound, self.path)):
            raise UserError(f'{self.path} cannot have the sound of {sound}: {problem}; write it without sound')
        self._part = part_path(self.path)
        with _clear_errors(self.path):
            self._made_folders = make_folder(self.path.parent)
            suffix = self.path.suffix.lower()
            self._claim = _claim(self._part, self.path) if suffix else None
            try:
                if suffix in H264_SUFFIXES:
                    self._sink: Sink = H264Sink(
                        self._part, rate, crf=crf, color_matrix=color_matrix, pixel_format=pixel_format,
                        threads=threads, keyframe_interval=keyframe_interval,
                        sound=None if sound is None else Path(sound), encoder=encoder)
                elif suffix == '.gif':
                    self._sink = GifSink(self._part, rate)
                else:
                    self._sink = ArraySink(self._part) if suffix == '.npy' else FolderSink(self._part)
            except BaseException:
                remove(self._part)
                remove_empty(self._made_folders)
                self._release()
                raise

    def write(self, frames: np.ndarray | Tensor) -> None:
        """Append frames of the size of the frames before.

        Args:
            frames (np.ndarray | Tensor): uint8 of shape (T, H, W, 3), RGB; or a floating-point tensor of shape
                (T, 3, H, W) in [-1, 1], which is clamped and rounded.
        """
        if self._closed:
            raise ValueError(f'the writer of {self.path} is closed')
        pixels = _as_bytes(frames)
        if len(pixels):
            self._check_shape(pixels.shape[1:])
        with _clear_errors(self.path):
            self._sink.write_all(pixels)
        self.num_frames += len(pixels)

    def write_yuv420(self, frames: np.ndarray) -> None:
        """Append frames to an H.264 file of the pixel format 'yuv420p' that have been converted to it.

        The frames may not be mixed with those of :meth:`write`.

        Args:
            frames (np.ndarray): uint8, shape (T, H * 3 / 2, W), contiguous, in the color matrix of the file, and all of
                one size; see :func:`~leokit.video.yuv420.rgb_to_yuv420`.
        """
        if self._pixel_format != 'yuv420p':
            raise ValueError(f'{self.path} is written in {self._pixel_format}, not in yuv420p')
        if len(frames):
            rows, width = frames.shape[1:]
            height = rows * 2 // 3
            if rows % 3 or not can_be_yuv420(height, width):
                raise ValueError(f'frames of {rows} rows and {width} columns are not in 4:2:0; see '
                                 'rgb_to_yuv420')
            self._check_shape((height, width, 3))
        for frame in frames:
            self.write_encodable(av.VideoFrame.from_numpy_buffer(frame, 'yuv420p'))

    def write_encodable(self, frame: av.VideoFrame) -> None:
        """Append a frame to an H.264 file that has its pixel format, its color matrix and limited range already.

        The frames may not be mixed with those of :meth:`write`. The frame's time is set.
        """
        if self._closed or not isinstance(self._sink, H264Sink):
            raise ValueError(f'the writer of {self.path} is closed or does not write H.264')
        with _clear_errors(self.path):
            self._sink.write_encodable(frame)
        self.num_frames += 1

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise unless frames (H, W, 3) have the size of the first ones."""
        self._shape = self._shape or shape
        if shape != self._shape:
            raise ValueError(f'frames of {self.path} are {self._shape}, got {shape}')

    def close(self) -> None:
        """Complete the file and rename it; a :class:`ValueError` if no frame was written."""
        if self._closed:
            return
        if not self.num_frames:
            self.abort()
            raise ValueError(f'no frames were written to {self.path}')
        try:
            with _clear_errors(self.path):
                self._sink.close()
                replace(self._part, self.path)
        except BaseException:
            self.abort()
            raise
        self._closed = True
        self._release()

    def abort(self) -> None:
        """Remove the unfinished file; an older file of that name stays."""
        if self._closed:
            return
        self._closed = True
        try:
            self._sink.discard()
        except (OSError, av.FFmpegError):  # the caller is about to see the first error
            pass
        remove(self._part)
        remove_empty(self._made_folders)
        self._release()

    def _release(self) -> None:
        if self._claim is not None:
            os.close(self._claim)  # with the lock
            self._claim = None

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def is_h264_file(path: str | Path) -> bool:
    """True for a name of which :class:`VideoWriter` makes an H.264 file."""
    return Path(path).suffix.lower() in H264_SUFFIXES


def _claim(part: Path, path: Path) -> int | None:
    """Lock the unfinished file, so that two processes do not write into it together.

    The lock vanishes with the process, so a file that a killed one left behind can be claimed.

    Returns:
        int | None: An open file that holds the lock; None on file systems without locks.
    """
    try:
        import fcntl
    except ImportError:  # not a Unix system
        return None
    for _ in range(MAX_CLAIMS):
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise UserError(f'another process is writing {path}; wait for it, or choose another name') from error
        except OSError:  # no locks here
            os.close(descriptor)
            return None
        try:
            if os.stat(part).st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:  # the other process has just finished: claim a new file
            pass
        os.close(descriptor)
    return None


def _check_path(path: Path, rate: Fraction) -> None:
    """Refuse impossible paths before the work starts, not after it."""
    suffix = path.suffix.lower()
    if not path.name:
        raise UserError(f"'{path}' is not a name for a video; pass a file such as {path / 'video.mp4'}")
    if path.suffix and path.is_dir():
        raise UserError(f'{path} is a folder; choose another name for the video')
    if suffix not in (*H264_SUFFIXES, '.gif', '.npy', ''):
        raise UserError(f'cannot write {path}: the suffix must be one of {", ".join(H264_SUFFIXES)}, .gif, .npy, or '
                        'none for a folder of PNG files')
    if suffix == '.gif' and rate > MAX_GIF_FPS:
        raise UserError(f'{path} would need {float(rate):g} frames per second, GIF allows {MAX_GIF_FPS} at most; pass '
                        'a lower fps, or write .mp4')
    if suffix == '' and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f'{path} exists and is not an empty folder; remove it or choose another name')


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    with clear_write_errors(path):
        try:
            yield
        except av.FFmpegError as error:  # some kinds of it are not OSErrors
            raise OSError(error.errno, error.strerror) from error


def _as_bytes(frames: np.ndarray | Tensor) -> np.ndarray:
    """Frames in either form that :meth:`VideoWriter.write` accepts, as contiguous uint8 (T, H, W, 3)."""
    if isinstance(frames, Tensor):
        if frames.is_floating_point():
            if frames.ndim != 4 or frames.shape[1] != 3:
                raise ValueError(f'floating-point frames must have shape (T, 3, H, W), got {tuple(frames.shape)}')
            frames = to_uint8(frames.detach()).permute(0, 2, 3, 1)
        frames = frames.cpu().numpy()
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise ValueError('frames must be uint8 of shape (T, H, W, 3), or a floating-point tensor of shape '
                         f'(T, 3, H, W), got {frames.dtype} of shape {frames.shape}')
    return np.ascontiguousarray(frames)


def remove_written_frames(path: str | Path) -> None:
    """Remove a folder that holds nothing but frames of an earlier run; any other folder stays, and is refused later."""
    path = Path(path)
    if path.is_dir() and all(FRAME_FILE.fullmatch(file.name) for file in path.iterdir()):
        remove(path)
