"""Read video files with PyAV: exact frames of every container and codec of FFmpeg, GIF included."""

import io
import logging
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Sequence, TypeVar

import av
import numpy as np
import torch
from mmengine.logging import print_log

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.utils.files import local_path
from leokit.video.conversion_threads import GROUP
from leokit.video.file_kind import VIDEO, content_note
from leokit.video.frame_fit import FrameFit
from leokit.video.frame_rate import regular_times, resampled_indices
from leokit.video.images import TRANSPARENT_BACKGROUND
from leokit.video.readers.base import ResampledHandle, VideoHandle, VideoReader, existing_file
from leokit.video.readers.chroma_location import ChromaLocator
from leokit.video.readers.container import ALPHA_DECODERS, alpha_decoder, choose_stream, open_container
from leokit.video.readers.damage import (
    DamagedFrameError, check_references, is_corrupt, suspect_frames, until_next_key)
from leokit.video.readers.frame_pixels import UNTAGGED_MATRICES, YUV420_FORMATS, FrameConverter
from leokit.video.readers.stream_index import PacketDecoder, StreamIndex, build_index, index_by_decoding
from leokit.video.readers.truncation import broken_end, missing_bytes, missing_samples
from leokit.video.readers.wide_color import needs_color_conversion
from leokit.video.shards import find_member, is_shard_member, video_stamp
from leokit.video.yuv420 import Yuv420Frames

MAX_PIXELS = 178_956_970  # of a frame; Pillow refuses larger images
MAX_INDICES = 4096  # stream indices that a reader caches, some kilobytes each
GAP = 1.5  # usual intervals, after which a frame is missing
DECODING_ERRORS = (av.FFmpegError, OSError, EOFError)

Result = TypeVar('Result')

_warned: set[tuple[str, str]] = set()  # one warning of a kind for each file


class PyAVHandle(VideoHandle):
    """A video file opened by :class:`PyAVReader`.

    Reading frames in increasing order decodes every frame once; a jump starts at the key frame before its target.

    Args:
        path (Path): The file.
        threads (int): Decoder threads.
        index (StreamIndex, optional): The index of the unchanged file, if it is cached.
        content (bytes, optional): Content of the file, if it is in memory; ``path`` is its name in messages then.
        untagged_matrix, background: See :class:`PyAVReader`.
    """

    stores_rate = True

    def __init__(self, path: Path, *, threads: int = 1, index: StreamIndex | None = None,
                 content: bytes | None = None, untagged_matrix: str = 'auto',
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        self._container = None
        self._threads = threads
        self._converters: ThreadPoolExecutor | None = None
        self._content = content
        self._rate_stated = False
        self.path = path
        try:
            self._open()
            self.index = index or self._make_index()
            self._check_complete()
            if gaps := int(self._after_gap().sum()):
                self._warn('gaps', f'{path} lacks frames at {gaps} places; frames from there to the next key frame may '
                                   'be damaged')
        except DECODING_ERRORS as error:
            self.close()
            note = content_note(path if content is None else io.BytesIO(content), VIDEO)
            raise UserError(f'{path} is not a readable video{note} ({_reason(error)}); '
                            'fetch or convert it again') from error
        except UserError:
            self.close()
            raise
        self.untagged_matrix = untagged_matrix
        self._convert = FrameConverter(self._stream.sample_aspect_ratio, untagged_matrix, background)
        self._locate_chroma = ChromaLocator()
        rate = self.index.rate(self._stream)
        super().__init__(path, float(rate))
        order = resampled_indices(self._source_times(), rate, rate)
        # None: a constant rate, so that frames need not be looked up by time
        self._order = None if np.array_equal(order, np.arange(len(self.index))) else order

    def __len__(self) -> int:
        return len(self.index) if self._order is None else len(self._order)

    @property
    def is_variable_rate(self) -> bool:
        """bool: The frames of the file are unevenly spaced, and frames are looked up by time."""
        return self._order is not None

    @property
    def has_other_shape(self) -> bool:
        """bool: Pixels of the file are not square, or a decoder of its own reads transparency."""
        return (self._stream.sample_aspect_ratio or 1) != 1 or self._decoder is not None

    @property
    def frame_bytes(self) -> int:
        return 3 * self._stream.codec_context.width * self._stream.codec_context.height

    @property
    def yuv420_size(self) -> tuple[int, int] | None:
        context = self._stream.codec_context
        plain = context.pix_fmt in YUV420_FORMATS and not self.has_other_shape
        return (context.height, context.width) if plain else None

    def yuv420_chunks(self, size: int, first: int = 0,
                      last: int | None = None) -> Iterator[np.ndarray | Yuv420Frames]:
        shape = self.yuv420_size  # later frames may have others
        for indices in self._spans(size, first, last):
            self._check_open()
            self._check_numbers(indices)
            frames = list(self.decode_file(self.file_indices(indices)))
            stored = self._as_stored(frames) if {(frame.height, frame.width) for frame in frames} == {shape} else None
            alike = self._of_one_size(frames)
            yield self._stack(map(self._converted, alike), len(frames)) if stored is None else stored

    def _as_stored(self, frames: Sequence[Any]) -> Yuv420Frames | None:
        """The planes of frames of one size; None if they are to be converted by FFmpeg."""
        kinds = {self._named(self._convert.yuv420_kind, frame) for frame in frames}
        if len(kinds) > 1 or (kind := kinds.pop()) is None:
            return None
        stored = Yuv420Frames(torch.from_numpy(np.stack([frame.to_ndarray() for frame in frames])), *kind)
        location = self._locate_chroma(stored, lambda number: self._converted(frames[number]))
        return None if location is None else stored._replace(chroma_location=location)

    def convert_in_threads(self, threads: int) -> None:
        if self._converters is None:
            if needs_color_conversion(self._stream.codec_context):
                threads = 1  # each would make a table of colors of its own, which takes seconds
            self._converters = ThreadPoolExecutor(threads)
            self._groups_ahead = 2 * threads  # one is converted in each thread, and the next one is there

    def close(self) -> None:
        self._frames = iter(())
        if self._converters is not None:
            self._converters.shutdown(cancel_futures=True)
            self._converters = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def at_rate(self, fps: float) -> VideoHandle:
        # From the times of the file: a variable rate is resampled once.
        return super().at_rate(fps) if self._order is None else ResampledHandle(self, fps)

    def state_rate(self, fps: float) -> None:
        super().state_rate(fps)
        self._order, self._rate_stated = None, True

    @property
    def marked_damaged(self) -> int:
        return self.index.damaged + int(self._after_gap().sum())

    def _after_gap(self) -> np.ndarray:
        """Frames of a transport stream before which others are missing, bool (frames of the file,)."""
        found = np.zeros(len(self.index), bool)
        if self.index.clock is not None and 'mpegts' in self._container.format.name:
            intervals = np.diff(self.index.clock)
            found[1:] = intervals > GAP * np.median(intervals) if len(intervals) else False
        return found

    def find_damage(self) -> np.ndarray:
        self._open()  # from the very start
        decoder = PacketDecoder(self._container, self._stream, decoder=self._decoder, tolerant=True, keep_order=True)
        frames = [(frame.pts, is_corrupt(frame), frame.key_frame) for frame in decoder]
        self._open()
        shown, corrupt, shown_keys = (list(column) for column in zip(*frames)) if frames else ([], [], [])
        order, keys, bad = decoder.order
        if self.index.countable_only:
            timed = None not in shown and bool((order >= 0).all()) and len(set(order.tolist())) == len(order)
            if not timed:  # the places of damaged packets are unknown
                return np.full(len(shown), bool(bad.any() or any(corrupt)))
            times, key_frames = np.array(shown, np.int64), np.array(shown_keys, bool)
        else:
            times, key_frames = self.index.times, np.zeros(len(self.index), bool)
            key_frames[self.index.keys] = True
        intact = np.array([time for time, bad_frame in zip(shown, corrupt) if not bad_frame], np.int64)
        bad |= ~np.isin(order, intact) & (order >= times.min(initial=0))  # concealed, or not shown
        intact = np.intersect1d(intact, order[~suspect_frames(order, keys, bad)])
        return until_next_key(~np.isin(times, intact) | self._after_gap() & ~key_frames, key_frames)

    def file_indices(self, indices: np.ndarray) -> np.ndarray:
        return indices if self._order is None else self._order[indices]

    def decode_file(self, indices: Iterable[int]) -> Iterator[Any]:
        """Decoded frames of the file, neither converted nor turned upright.

        Args:
            indices (Iterable[int]): Numbers of frames of the file, in increasing order; repeats are allowed.

        Yields:
            av.VideoFrame: One for each index.
        """
        frame = last = None
        for number in map(int, indices):
            if number != last:
                frame, last = self._decode(number), number
                self._check_frame(frame, number)
            yield frame

    def _open(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = open_container(self.path, self._content)
        self._stream = choose_stream(self._container, self.path)
        size = self._stream.codec_context
        if size.width * size.height > MAX_PIXELS:  # a GIF of 66 bytes can claim 16000x16000
            raise UserError(f'{self.path} has {size.width}x{size.height} pixels, more than the {MAX_PIXELS} that are '
                            'decoded; scale it down')
        self._decoder = alpha_decoder(self._stream)
        context = self._decoder or self._stream.codec_context
        context.thread_count = self._threads
        context.thread_type = 'FRAME' if self._threads > 1 else 'SLICE'
        self._position = None  # number of the next frame of self._frames; None before the first seek
        self._corrupt: int | None = None  # first frame since the last key frame that is damaged
        self._frames: Iterator[tuple[Any, bool]] = iter(())

    def _make_index(self) -> StreamIndex:
        index = build_index(self._container, self._stream)
        if index is not None and index.packets != len(index):
            index = self._verified(index)
        if index is None:
            self._open()
            index = index_by_decoding(self._container, self._stream, self._decoder)
        if index.damaged:
            self._warn('damaged', f'{self.path} has {index.damaged} damaged packets; their frames are left out, and '
                                  'the frames next to them are shown for longer')
        if self._stream.metadata.get('alpha_mode') == '1' and self._decoder is None:
            self._warn('alpha', f'{self.path} is transparent, and this build of FFmpeg has no decoder for that '
                                f'({" or ".join(ALPHA_DECODERS.values())}); it is read as opaque')
        return index

    def _verified(self, index: StreamIndex) -> StreamIndex | None:
        """The index of a file with hidden frames, or None if decoding shows others than its packets promise."""
        self._open()
        try:
            shown = [frame.pts for frame in PacketDecoder(self._container, self._stream, decoder=self._decoder)]
        except DECODING_ERRORS:
            return index  # reading reports the damage where it is
        first = index.times[0] if len(index) else 0
        return index if [time for time in shown if time is None or time >= first] == index.times.tolist() else None

    def _check_complete(self) -> None:
        missing = missing_samples(self._container, self._stream)
        if missing:
            stated = max(self._stream.frames, missing)
            raise UserError(f'{self.path} is truncated: it holds {stated - missing} of the {stated} frames that its '
                            'header states; fetch or convert it again')
        if len(self.index) == 0:
            raise UserError(f'{self.path} holds no frame that can be decoded; fetch or convert it again')
        lost = missing_bytes(self.path, self._content)
        problem = f'{lost} bytes that its header states are missing' if lost else \
            broken_end(self.path, self._content)
        if problem:
            self._warn('truncated',
                       f'{self.path} is truncated: {problem}; the {len(self.index)} frames before are used')

    def _source_times(self) -> np.ndarray:
        clock = self.index.clock
        if clock is None or self._rate_stated:
            return regular_times(len(self.index), self.fps)
        return (clock - clock[0]) * float(self._stream.time_base)

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self._read_source(self.file_indices(indices))

    def _read_source(self, indices: np.ndarray) -> np.ndarray:
        return self._read_source_as(indices, [None] * len(indices))

    def _read_fitted(self, indices: np.ndarray, fits: Sequence[FrameFit]) -> np.ndarray:
        return self._read_source_as(self.file_indices(indices), fits)

    def _read_source_fitted(self, indices: np.ndarray, fits: Sequence[FrameFit]) -> np.ndarray:
        return self._read_source_as(indices, fits)

    def _read_source_as(self, indices: np.ndarray, fits: Sequence[FrameFit | None]) -> np.ndarray:
        """Frames of the file, each fitted, or whole for None; one that is wanted twice in the same way is made once."""
        self._check_open()
        wanted = list(zip(indices.tolist(), fits))
        order = {item: row for row, item in enumerate(sorted(dict.fromkeys(wanted), key=lambda item: item[0]))}
        frames = self._stack(self._pixels(*zip(*order)), len(order))
        return frames if list(order) == wanted else frames[[order[item] for item in wanted]]

    def _check_open(self) -> None:
        if self._container is None:
            raise ValueError(f'{self.path} has been closed')

    def _stack(self, pixels: Iterable[np.ndarray], count: int) -> np.ndarray:
        """One array of frames of the same size."""
        frames = None
        for row, frame in enumerate(pixels):
            if frames is None:
                frames = np.empty((count, *frame.shape), np.uint8)
            frames[row] = frame
        return frames

    def _of_one_size(self, frames: Iterable[Any]) -> Iterator[Any]:
        """The same decoded frames, unless they are shown in different sizes."""
        size = None
        for frame in frames:
            shown = self._named(self._convert.shown_size, frame)
            size = size or shown
            if shown != size:
                raise UserError(f'{self.path} has frames of different sizes; convert it to one size')
            yield frame

    def _decode(self, number: int) -> Any:
        """Decode up to frame ``number`` and return it."""
        try:
            if self._position is None or number < self._position or self.index.key_before(number) > self._position:
                self._seek(number)
            for frame, is_suspect in self._frames:
                if not self.index.countable_only:
                    if frame.pts is None or frame.pts < self.index.times[self._position]:
                        continue  # before the key frame, or hidden
                    if frame.pts > self.index.times[self._position]:
                        break
                self._note_corrupt(frame, is_suspect, self._position)
                self._position += 1
                if self._position > number:
                    return frame
        except DECODING_ERRORS as error:
            self._position = None
            raise DamagedFrameError(f'frame {number} of {self.path} cannot be decoded ({_reason(error)}); '
                            'fetch or convert it again') from error
        self._position = None
        raise DamagedFrameError(f'frame {number} of {self.path} is missing from the stream; fetch or convert it again')

    def _note_corrupt(self, frame: Any, is_suspect: bool, number: int) -> None:
        if is_suspect:
            self._corrupt = number if self._corrupt is None else self._corrupt
        elif frame.key_frame:
            self._corrupt = None

    def _seek(self, number: int) -> None:
        self._corrupt = None
        key = 0 if self.index.countable_only else self.index.key_before(number)
        if key == 0 and not self.index.plain:
            self._open()  # the very start: packets before the first key frame make seeking inexact
        else:
            self._container.seek(int(self.index.times[key]), stream=self._stream, backward=True, any_frame=False)
            if self._decoder is not None:
                self._decoder.flush_buffers()
        # tolerant: a packet that does not decode must not cost the frames that the decoder still holds
        self._frames = check_references(PacketDecoder(self._container, self._stream, decoder=self._decoder,
                                                      tolerant=True, keep_numbers=True))
        self._position = key

    def _check_frame(self, frame: Any, number: int) -> None:
        if self._corrupt is not None:
            refers = '' if number == self._corrupt else f', or refers to frame {self._corrupt}, which is damaged'
            raise DamagedFrameError(f'frame {number} of {self.path} is damaged{refers}; fetch or convert it again')
        if frame.interlaced_frame:
            self._warn('interlaced', f'{self.path} is interlaced; moving edges show combs, deinterlace it first (for '
                                     'example with ffmpeg -vf bwdif)')

    def _pixels(self, numbers: Sequence[int], fits: Iterable[FrameFit | None] = repeat(None)) -> Iterator[np.ndarray]:
        """uint8 RGB (H, W, 3) of frames of the file, or the images of a model (S, S, 3).

        In threads, if there are some, while the next ones are decoded.
        """
        frames = zip(self._of_one_size(self.decode_file(numbers)), fits)
        if self._converters is None:
            yield from (self._converted(*frame) for frame in frames)
            return
        waiting: deque[Future[list[np.ndarray]]] = deque()  # not all frames: each one is in memory twice
        for group in iter(lambda: list(islice(frames, GROUP)), []):
            waiting.append(self._converters.submit(self._convert_all, group))
            if len(waiting) > self._groups_ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _convert_all(self, frames: Sequence[tuple[Any, FrameFit | None]]) -> list[np.ndarray]:
        return [self._converted(*frame) for frame in frames]

    def _converted(self, frame: Any, fit: FrameFit | None = None) -> np.ndarray:
        if fit is None:
            return self._named(self._convert, frame)
        size = self._convert.shown_size(frame)
        return fit(self._named(self._convert, frame, fit.box(size)), size)

    def _named(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function of a frame whose errors lack the name of the file."""
        try:
            return function(*arguments)
        except UserError as error:
            raise UserError(f'{self.path} {error}') from None

    def _warn(self, kind: str, message: str) -> None:
        if (kind, str(self.path)) not in _warned:
            _warned.add((kind, str(self.path)))
            print_log(message, logger='current', level=logging.WARNING)


@VIDEO_READERS.register_module()
class PyAVReader(VideoReader):
    """Reads video files with PyAV, also those in shards (:mod:`leokit.video.shards`).

    Frame numbers are exact: they are looked up in an index of the file's packets, which is cached for unchanged files,
    and every jump decodes from the right key frame. Display matrices (rotated and mirrored video) and the shape of
    pixels are applied, transparent frames are composited over ``background``, and HDR (PQ, HLG) and
    wide gamuts (BT.2020, P3) are converted to sRGB.

    Args:
        threads (int): Decoder threads of each open video; one is best with several data-loader workers.
        untagged_matrix (str): Color matrix of videos that state none: 'bt601', 'bt709', or 'auto', BT.709 from
            720 lines up and BT.601 below, as players guess.
        background (tuple[int, int, int]): Color behind transparent pixels.
    """

    def __init__(self, threads: int = 1, untagged_matrix: str = 'auto',
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> None:
        if threads < 1:
            raise ValueError(f'threads must be at least 1, got {threads}')
        if untagged_matrix not in UNTAGGED_MATRICES:
            raise ValueError(f'untagged_matrix must be one of {", ".join(UNTAGGED_MATRICES)}, got {untagged_matrix!r}')
        self.threads = threads
        self.untagged_matrix = untagged_matrix
        self.background = tuple(background)
        self._indices: dict[tuple, StreamIndex] = {}

    def open(self, path: str | Path) -> PyAVHandle:
        if is_shard_member(path):
            path, content = local_path(path), find_member(local_path(path)).read()
        else:
            path, content = existing_file(path), None
        key = (str(path), *video_stamp(path))
        handle = PyAVHandle(path, threads=self.threads, index=self._indices.get(key), content=content,
                            untagged_matrix=self.untagged_matrix, background=self.background)
        if len(self._indices) >= MAX_INDICES:
            self._indices.clear()
        self._indices[key] = handle.index
        return handle


def _reason(error: BaseException) -> str:
    return getattr(error, 'strerror', None) or str(error) or type(error).__name__
