"""Writing videos frame by frame, whatever their length, to H.264, GIF, an array or a folder of PNG files."""

from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Iterator, Protocol

import av
import cv2
import numpy as np
from torch import Tensor

from leokit.utils import UserError
from leokit.utils.files import clear_write_errors, part_path, remove, replace
from leokit.utils.npy import HEADER_BYTES, npy_header
from leokit.utils.pixels import to_uint8

H264_SUFFIXES = ('.mp4', '.mkv', '.mov')
PIXEL_FORMATS = ('yuv420p', 'yuv444p')
FOLDER_PATTERN = '{:06d}.png'
BT601, LIMITED_RANGE = 6, 1  # codes of ITU-T H.273 for SMPTE 170M and of FFmpeg for studio swing
MAX_GIF_FPS = 50  # delays are whole hundredths of a second, and browsers slow down what is below two
MAX_FPS_DENOMINATOR = 1001  # exact for the broadcast rates such as 30000/1001


class VideoWriter:
    """Write frames to a video file or a frame folder as they come; memory does not grow with the length.

    What is written depends on the name: ``.mp4``, ``.mkv``, ``.mov`` hold H.264 (BT.601, limited range), ``.gif`` a
    looped animation with a palette for each frame, ``.npy`` the array uint8 (T, H, W, 3), a name without a suffix is a
    folder of PNG files ``000000.png``, ``000001.png``, ... Pixels are written as they are, never stretched; arrays and
    PNG files lose nothing. H.264 gets even sides, which 4:2:0 color needs: an odd frame is padded by repeating its
    last row or column.
    The name appears only when the writer closes; until then the file is ``<name>.part<suffix>`` beside it, which is
    removed if the block raises.

    Example::

        with VideoWriter('out.mp4', fps=25) as writer:
            for chunk in chunks:  # (T, 3, H, W) in [-1, 1], any T
                writer.write(chunk)

    Args:
        path (str | Path): Where to write; an existing file is replaced, a folder with files in it is refused.
        fps (float): Frames a second.
        crf (int): H.264 quality, 0 lossless to 51. Default: 18, visually clean.
        keyframe_interval (int, optional): Most frames from one key frame to the next; small makes reading single frames
            cheap. Default: None, the encoder's own.
        threads (int): Encoder threads; 0 lets the encoder choose. Default: 0.
        pixel_format (str): How H.264 stores color: 'yuv420p', which every player shows, or 'yuv444p', color at full
            resolution, which browsers do not show. Default: 'yuv420p'.

    Raises:
        UserError: If the kind of file is unknown, the name is that of a folder, the folder holds files, a GIF is to be
            faster than 50 frames a second, or the disk is full or refuses.
        ValueError: If fps is not positive or the pixel format is neither.
    """

    def __init__(self, path: str | Path, fps: float, *, crf: int = 18, keyframe_interval: int | None = None,
                 threads: int = 0, pixel_format: str = 'yuv420p') -> None:
        if fps <= 0:
            raise ValueError(f'fps must be positive, got {fps}')
        if pixel_format not in PIXEL_FORMATS:
            raise ValueError(f'pixel_format must be one of {", ".join(PIXEL_FORMATS)}, got {pixel_format!r}')
        self.path = Path(path)
        _check_name(self.path)
        self.fps = fps
        self.num_frames = 0
        self._part = part_path(self.path)
        self._shape: tuple[int, ...] | None = None  # (H, W, 3) of the frames
        self._closed = False
        rate = Fraction(fps).limit_denominator(MAX_FPS_DENOMINATOR)
        with _clear_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            suffix = self.path.suffix.lower()
            if suffix in H264_SUFFIXES:
                self._sink: _Sink = _H264Sink(
                    self._part, rate, crf, keyframe_interval, threads, pixel_format)
            elif suffix == '.gif':
                if rate > MAX_GIF_FPS:
                    raise UserError(f'{self.path} would need {fps:g} frames a second, GIF shows {MAX_GIF_FPS} at most; '
                                    'pass a lower fps, or write .mp4')
                self._sink = _GifSink(self._part, rate)
            elif suffix == '.npy':
                self._sink = _ArraySink(self._part)
            elif suffix == '':
                if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                    raise UserError(f'{self.path} exists and is not an empty folder; remove it or choose another name')
                self._sink = _FolderSink(self._part)
            else:
                raise UserError(f'cannot write {self.path}: the suffix must be one of '
                                f'{", ".join(H264_SUFFIXES)}, .gif, .npy, or none for a folder of PNG files')

    def write(self, frames: np.ndarray | Tensor) -> None:
        """Append frames.

        Args:
            frames (np.ndarray | Tensor): uint8 of shape (T, H, W, 3), RGB; or a floating-point tensor of shape
                (T, 3, H, W) in [-1, 1], which is clamped and rounded.

        Raises:
            ValueError: If type or shape is another, or the size is not that of the frames before.
            UserError: If the disk is full or refuses.
        """
        if self._closed:
            raise ValueError(f'the writer of {self.path} is closed')
        pixels = _as_bytes(frames)
        if self._shape is None and len(pixels):
            self._shape = pixels.shape[1:]
        if len(pixels) and pixels.shape[1:] != self._shape:
            raise ValueError(f'frames of {self.path} are {self._shape}, got {pixels.shape[1:]}')
        with _clear_errors(self.path):
            for frame in pixels:
                self._sink.write(frame)
        self.num_frames += len(pixels)

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises:
            UserError: If the disk is full or refuses.
            ValueError: If no frame was written.
        """
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

    def abort(self) -> None:
        """Give up: remove what was written; an older file of that name stays."""
        if self._closed:
            return
        self._closed = True
        try:
            self._sink.close()
        except (OSError, av.FFmpegError):  # the reason for giving up is on its way to the caller
            pass
        remove(self._part)

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def _check_name(path: Path) -> None:
    """A name that cannot be taken is told before the work, not after it."""
    if not path.name:
        raise UserError(f"'{path}' is no name for a video; pass a file such as {path / 'video.mp4'}")
    if path.suffix and path.is_dir():
        raise UserError(f'{path} is a folder; choose another name for the video')


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    with clear_write_errors(path):
        try:
            yield
        except av.FFmpegError as error:  # some of its kinds are no OSErrors
            raise OSError(error.errno, error.strerror) from error


def _as_bytes(frames: np.ndarray | Tensor) -> np.ndarray:
    """uint8 (T, H, W, 3) of either form that :meth:`VideoWriter.write` accepts."""
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


class _Sink(Protocol):
    """Where frames go: one file format."""

    def write(self, frame: np.ndarray) -> None: ...

    def close(self) -> None: ...


class _H264Sink:
    def __init__(self, part: Path, rate: Fraction, crf: int, keyframe_interval: int | None, threads: int,
                 pixel_format: str) -> None:
        self._container = av.open(str(part), 'w')
        # No B frames: x264's choices about them depend on uninitialized memory, so that the same frames gave different
        # files now and then; and single frames are cheaper to reach without.
        # Color samples lie in the middle of their 2x2 pixels, which is said too; readers would take them to lie left.
        options = {'crf': str(crf), 'bf': '0', 'x264-params': 'chromaloc=1'}
        self._stream = self._container.add_stream('libx264', rate=rate, options=options)
        context = self._stream.codec_context
        context.pix_fmt = self._pixel_format = pixel_format
        context.thread_count = threads
        if keyframe_interval is not None:
            context.gop_size = keyframe_interval
        # say which of the two common color matrices it is, or players guess by the size of the picture
        context.colorspace, context.color_range = BT601, LIMITED_RANGE
        context.color_primaries, context.color_trc = BT601, BT601

    def write(self, frame: np.ndarray) -> None:
        height, width = frame.shape[:2]
        if height % 2 or width % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
        if not self._stream.codec_context.is_open:
            self._stream.height, self._stream.width = frame.shape[:2]
        picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
        picture = picture.reformat(format=self._pixel_format, dst_colorspace='ITU601', dst_color_range='MPEG',
                                   interpolation='BICUBIC')
        self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        try:
            if self._stream.codec_context.is_open:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class _GifSink:
    def __init__(self, part: Path, rate: Fraction) -> None:
        self._container = av.open(str(part), 'w', format='gif', options={'loop': '0'})
        self._stream = self._container.add_stream('gif', rate=rate)
        self._stream.pix_fmt = 'pal8'
        self._rate = rate
        self._graph: av.filter.Graph | None = None
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        if self._graph is None:
            self._stream.height, self._stream.width = frame.shape[:2]
            self._graph = self._make_graph(frame.shape[1], frame.shape[0])
        picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
        picture.pts, picture.time_base = self._count, 1 / self._rate
        self._count += 1
        self._graph.push(picture)
        self._drain()

    def close(self) -> None:
        try:
            if self._graph is not None:
                self._graph.push(None)
                self._drain()
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _make_graph(self, width: int, height: int) -> av.filter.Graph:
        """frame -> its own palette of 256 colors -> indices into it."""
        graph = av.filter.Graph()
        source = graph.add_buffer(width=width, height=height, format='rgb24', time_base=1 / self._rate)
        split = graph.add('split')
        palette = graph.add('palettegen', 'stats_mode=single')
        use = graph.add('paletteuse', 'new=1')
        sink = graph.add('buffersink')
        source.link_to(split)
        split.link_to(use, 0, 0)
        split.link_to(palette, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        return graph

    def _drain(self) -> None:
        while True:
            try:
                picture = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._container.mux(self._stream.encode(picture))


class _ArraySink:
    """NumPy's format 1.0, its header filled in at the end, when the number of frames is known."""

    def __init__(self, part: Path) -> None:
        self._file = part.open('wb')
        self._file.write(bytes(HEADER_BYTES))
        self._shape: tuple[int, ...] = ()
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        self._file.write(frame.data)
        self._shape = frame.shape
        self._count += 1

    def close(self) -> None:
        with self._file:
            self._file.seek(0)
            self._file.write(npy_header((self._count, *self._shape), np.uint8))


class _FolderSink:
    def __init__(self, part: Path) -> None:
        remove(part)
        part.mkdir()
        self._part = part
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        done, content = cv2.imencode('.png', frame[:, :, ::-1])
        if not done:
            raise ValueError(f'a frame of shape {frame.shape} cannot be encoded as PNG')
        (self._part / FOLDER_PATTERN.format(self._count)).write_bytes(content.tobytes())
        self._count += 1

    def close(self) -> None:
        pass
