"""Read video files with PyAV: exact frames of every container and codec of FFmpeg, GIF included."""

from pathlib import Path
from typing import Any, Iterator

import av
import numpy as np

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers.base import DEFAULT_FPS, VideoHandle, VideoReader, existing_file
from leokit.video.readers.stream_index import StreamIndex, build_index, decode_frames, index_by_decoding

MAX_INDICES = 4096  # stream indices that a reader caches, some kilobytes each
# Containers whose header states the number of frames; a file with fewer packets is truncated.
COUNTED_FORMATS = ('mp4', 'mov')
DECODING_ERRORS = (av.FFmpegError, OSError, EOFError)


class PyAVHandle(VideoHandle):
    """A video file opened by :class:`PyAVReader`.

    Reading frames in increasing order decodes every frame once; a jump starts at the key frame before its target.

    Args:
        path (Path): The file.
        threads (int): Decoder threads.
        index (StreamIndex, optional): The index of the unchanged file, if it is cached.
    """

    def __init__(self, path: Path, *, threads: int, index: StreamIndex | None = None) -> None:
        self._container = None
        self._threads = threads
        self._formatter = av.video.reformatter.VideoReformatter()
        self._format = _conversion()
        self.path = path
        try:
            self._open()
            self.index = index or self._make_index()
        except DECODING_ERRORS as error:
            self.close()
            raise UserError(f'{path} is not a readable video ({_reason(error)}); '
                            'fetch or convert it again') from error
        except UserError:
            self.close()
            raise
        self._check_complete()
        super().__init__(path, float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_FPS))

    def __len__(self) -> int:
        return len(self.index)

    def close(self) -> None:
        self._frames = iter(())
        if self._container is not None:
            self._container.close()
            self._container = None

    def _open(self) -> None:
        if self._container is not None:
            self._container.close()
        # torchvision before 0.24 has FFmpeg's messages logged by Python: a decoder thread with a message would wait for
        # the interpreter, while the interpreter waits for the thread to end
        av.logging.set_level(None)
        # tags that are not UTF-8 are no reason to refuse a video; PyAV 19 ignores them without this option
        tolerant = {} if int(av.__version__.split('.')[0]) >= 19 else dict(metadata_errors='ignore')
        self._container = av.open(str(self.path), **tolerant)
        if not self._container.streams.video:
            raise UserError(f'{self.path} has no video stream; it may be an audio file')
        self._stream = self._container.streams.video[0]
        context = self._stream.codec_context
        if context is None:
            raise UserError(f'{self.path} has a codec that this build of FFmpeg cannot decode; '
                            'convert it to H.264')
        context.thread_count = self._threads
        context.thread_type = 'FRAME' if self._threads > 1 else 'SLICE'
        self._position = None  # number of the next frame of self._frames; None before the first seek
        self._frames: Iterator[Any] = iter(())

    def _make_index(self) -> StreamIndex:
        index = build_index(self._container, self._stream)
        if index is None:
            self._open()
            index = index_by_decoding(self._container, self._stream)
        return index

    def _check_complete(self) -> None:
        stated = self._stream.frames
        counted = any(name in COUNTED_FORMATS for name in self._container.format.name.split(','))
        if counted and self.index.packets < stated and not self.index.countable_only:
            self.close()
            raise UserError(f'{self.path} is truncated: it holds {self.index.packets} of the {stated} frames that its '
                            'header states; fetch or convert it again')
        if len(self.index) == 0:
            self.close()
            raise UserError(f'{self.path} holds no frame that can be decoded; fetch or convert it again')

    def _read(self, indices: np.ndarray) -> np.ndarray:
        if self._container is None:
            raise ValueError(f'{self.path} has been closed')
        wanted, positions = np.unique(indices, return_inverse=True)
        frames = None
        for row, number in enumerate(wanted):
            pixels = self._pixels(self._decode(int(number)))
            if frames is None:
                frames = np.empty((len(wanted), *pixels.shape), np.uint8)
            if pixels.shape != frames.shape[1:]:
                raise UserError(f'{self.path} has frames of different sizes; convert it to one size')
            frames[row] = pixels
        return frames if np.array_equal(wanted, indices) else frames[positions]

    def _decode(self, number: int) -> Any:
        """Decode up to frame ``number`` and return it."""
        try:
            if self._position is None or number < self._position or self.index.key_before(number) > self._position:
                self._seek(number)
            for frame in self._frames:
                if not self.index.countable_only:
                    if frame.pts is None or frame.pts < self.index.times[self._position]:
                        continue  # before the key frame, or hidden
                    if frame.pts > self.index.times[self._position]:
                        break
                self._position += 1
                if self._position > number:
                    return frame
        except DECODING_ERRORS as error:
            self._position = None
            raise UserError(f'frame {number} of {self.path} cannot be decoded ({_reason(error)}); '
                            'fetch or convert it again') from error
        self._position = None
        raise UserError(f'frame {number} of {self.path} is missing from the stream; fetch or convert it again')

    def _seek(self, number: int) -> None:
        key = 0 if self.index.countable_only else self.index.key_before(number)
        if key == 0 and not self.index.plain:
            self._open()  # the very start: packets before the first key frame make seeking inexact
        else:
            self._container.seek(int(self.index.times[key]), stream=self._stream, backward=True, any_frame=False)
        self._frames = decode_frames(self._container, self._stream)
        self._position = key

    def _pixels(self, frame: Any) -> np.ndarray:
        turns = round((getattr(frame, 'rotation', 0) or 0) / 90)
        pixels = self._formatter.reformat(frame, **self._format).to_ndarray()
        return np.rot90(pixels, turns) if turns % 4 else pixels


def _conversion() -> dict[str, Any]:
    """Options that turn a frame into RGB with its true colors.

    FFmpeg's fast conversion from 4:2:0 to RGB, its default, rounds down: frames get 1.2 gray levels darker every time
    a video is read and written again.
    """
    options: dict[str, Any] = dict(format='rgb24')
    if int(av.__version__.split('.')[0]) >= 17:  # by default it starts a thread pool for every conversion
        options['threads'] = 1
    kinds = av.video.reformatter.Interpolation
    if hasattr(kinds, 'ACCURATE_RND'):  # older PyAV has the fast conversion only
        options['interpolation'] = kinds.BILINEAR | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INT
    return options


@VIDEO_READERS.register_module()
class PyAVReader(VideoReader):
    """Reads video files with PyAV.

    Frame numbers are exact: they are looked up in an index of the file's packets, which is cached for unchanged files,
    and every jump decodes from the right key frame. Rotation tags are applied.

    Args:
        threads (int): Decoder threads of each open video; one is best with several data-loader workers.
    """

    def __init__(self, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f'threads must be at least 1, got {threads}')
        self.threads = threads
        self._indices: dict[tuple, StreamIndex] = {}

    def open(self, path: str | Path) -> PyAVHandle:
        path = existing_file(path)
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        handle = PyAVHandle(path, threads=self.threads, index=self._indices.get(key))
        if len(self._indices) >= MAX_INDICES:
            self._indices.clear()
        self._indices[key] = handle.index
        return handle


def _reason(error: BaseException) -> str:
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__
