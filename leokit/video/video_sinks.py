"""The file formats of :class:`~leokit.video.video_writer.VideoWriter`: a sink for each, fed frame by frame."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np

from leokit.utils.files import remove
from leokit.utils.npy import HEADER_BYTES, npy_header
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.conversion_threads import GROUP, converter_count
from leokit.video.ffmpeg_url import local_url
from leokit.video.h264 import ENCODERS, H264Stream, container_options
from leokit.video.sound import SoundMuxer

FRAME_NAME = '{:06d}.png'
SOUND_DELAY = 16  # frames by which the sound follows the picture, whose encoder holds some back


class Sink(Protocol):
    """Takes the frames of one video, uint8 (H, W, 3), contiguous, all of one size."""

    def write(self, frame: np.ndarray) -> None: ...

    def write_all(self, frames: np.ndarray) -> None:
        """Write consecutive frames (T, H, W, 3)."""
        for frame in frames:
            self.write(frame)

    def close(self) -> None:
        """Complete the file."""

    def discard(self) -> None:
        """Release the file, which is going to be removed. Nothing is encoded: FFmpeg crashes where it wrote half."""


class H264Sink(Sink):
    """An H.264 file; its arguments are those of :class:`~leokit.video.video_writer.VideoWriter`."""

    def __init__(self, part: Path, rate: Fraction, *, crf: int, color_matrix: str, pixel_format: str, threads: int,
                 keyframe_interval: int | None, sound: Path | None = None, encoder: str = 'libx264') -> None:
        # No B frames: single frames are cheaper to reach.
        # Chroma samples lie in the middle of their 2x2 pixels; untagged, readers take them to lie on the left.
        options = {ENCODERS[encoder]: str(crf), 'bf': '0'}
        if encoder == 'libx264':
            options['x264-params'] = 'chromaloc=1'
        self._container = av.open(local_url(part), 'w', options=container_options(part))
        self._stream = H264Stream(
            self._container, rate, options=options, color_matrix=color_matrix, pixel_format=pixel_format,
            interpolation='BICUBIC', threads=threads, keyframe_interval=keyframe_interval,
            encoder=encoder)
        # one thread is the one that encodes
        self._converters = ThreadPoolExecutor(workers) if (workers := converter_count(threads)) else None
        self._frame_time = 1 / rate
        self._sound = None
        try:
            self._sound = SoundMuxer(sound, self._container, part.suffix.lower()) if sound else None
        except BaseException:
            self.discard()
            raise

    def write(self, frame: np.ndarray) -> None:
        self.write_encodable(self._convert(frame))

    def write_all(self, frames: np.ndarray) -> None:
        """Convert colors in several threads, and encode in this one meanwhile."""
        groups = [frames[start:start + GROUP] for start in range(0, len(frames), GROUP)]
        for group in (self._converters.map if self._converters else map)(self._convert_all, groups):
            for frame in group:
                self.write_encodable(frame)

    def write_encodable(self, frame: av.VideoFrame) -> None:
        """Encode a frame that has the size, the pixel format and the colors of the file."""
        self._stream.write_encodable(frame)
        if self._sound is not None and self._stream.num_frames > SOUND_DELAY:
            self._sound.write_until((self._stream.num_frames - SOUND_DELAY) * self._frame_time)

    def _convert_all(self, frames: np.ndarray) -> list[av.VideoFrame]:
        return [self._convert(frame) for frame in frames]

    def _convert(self, frame: np.ndarray) -> av.VideoFrame:
        height, width = frame.shape[:2]
        if height % 2 or width % 2:  # 4:2:0 chroma needs even sizes
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode='edge')
        return self._stream.convert(frame, frame.shape[1], frame.shape[0])

    def close(self) -> None:
        self._stream.flush()
        if self._sound is not None:
            self._sound.finish(self._stream.num_frames * self._frame_time)
        self.discard()

    def discard(self) -> None:
        if self._converters is not None:
            self._converters.shutdown(cancel_futures=True)
        if self._sound is not None:
            self._sound.close()
        self._container.close()


class GifSink(Sink):
    """A looped GIF with a palette of its own for each frame."""

    def __init__(self, part: Path, rate: Fraction) -> None:
        self._container = av.open(local_url(part), 'w', format='gif', options={'loop': '0'})
        self._stream = self._container.add_stream('gif', rate=rate)
        self._stream.pix_fmt = 'pal8'
        self._rate = rate
        self._graph: av.filter.Graph | None = None
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        if self._graph is None:
            self._stream.height, self._stream.width = frame.shape[:2]
            self._graph = self._build_graph(frame.shape[1], frame.shape[0])
        image = av.VideoFrame.from_ndarray(frame, format='rgb24')
        image.pts, image.time_base = self._count, 1 / self._rate
        self._count += 1
        self._graph.push(image)
        self._drain()

    def close(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._drain()
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def discard(self) -> None:
        self._container.close()

    def _build_graph(self, width: int, height: int) -> av.filter.Graph:
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
                image = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._container.mux(self._stream.encode(image))


class ArraySink(Sink):
    """A ``.npy`` file; its header is written at the end, when the number of frames is known."""

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

    def discard(self) -> None:
        self._file.close()


class FolderSink(Sink):
    """A folder of PNG files."""

    def __init__(self, part: Path) -> None:
        remove(part)
        part.mkdir()
        self._part = part
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        self.write_all(frame[None])

    def write_all(self, frames: np.ndarray) -> None:
        """Encode in several threads."""
        numbers = range(self._count, self._count + len(frames))
        for _ in thread_map(self._write_file, list(zip(frames, numbers)), worker_count()):
            pass
        self._count += len(frames)

    def _write_file(self, item: tuple[np.ndarray, int]) -> None:
        frame, number = item
        done, content = cv2.imencode('.png', frame[:, :, ::-1])
        if not done:
            raise ValueError(f'a frame of shape {frame.shape} cannot be encoded as PNG')
        (self._part / FRAME_NAME.format(number)).write_bytes(content.tobytes())

    def close(self) -> None:
        pass

    def discard(self) -> None:
        pass
