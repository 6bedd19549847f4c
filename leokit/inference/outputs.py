"""Write frames to files as they are generated."""

from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from leokit.inference.host_copy import copies_to_host
from leokit.inference.rendering import CHUNK_SIZE
from leokit.utils import Prefetcher, UserError
from leokit.utils.thread_map import worker_count
from leokit.video import VideoWriter, check_space
from leokit.video.frame_rate import is_same_rate, resampled_count, source_index
from leokit.video.video_writer import is_h264_file

OUTPUT_SUFFIXES = dict(mp4='.mp4', gif='.gif', npy='.npy', frames='')  # by which ``VideoWriter`` chooses the format
# Of rendered frames that wait to be written: a window of several videos, which lasts for the time in which the motion
# of the next one is sampled on a GPU. On a CPU, sampling and writing share the cores.
WAITING_CHUNKS, WAITING_BYTES = 64, 2**27
COLOR_MATRIX = 'bt601'  # of the H.264 files


class FrameStream(Iterator[Tensor]):
    """Chunks of frames, generated on demand, with their number, resolution and rate.

    A stream can be read once: reading a finished one, or writing one of which frames have been taken, is an error.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        num_frames (int, optional): Frames of each video, all chunks together; None if unknown (a camera).
        size (int | tuple[int, int]): H and W.
        fps (float, optional): Frames per second; None if unknown.
        num_videos (int, optional): The number B of videos; None if unknown.

    Attributes:
        frames_read (int): Frames of each video that have been read.
    """

    def __init__(self, chunks: Iterable[Tensor], num_frames: int | None, size: int | tuple[int, int],
                 fps: float | None = None, num_videos: int | None = None) -> None:
        self._chunks = iter(chunks)
        self.num_frames = num_frames
        self.size = size
        self.fps = fps
        self.num_videos = num_videos
        self.frames_read = 0
        self._finished = False

    def __iter__(self) -> 'FrameStream':
        if self._finished:
            raise UserError(f'all {self.frames_read} frames of this stream have been read; call the method again for '
                            'a new stream, or keep the frames with torch.cat(list(stream), dim=1)')
        return self

    def __next__(self) -> Tensor:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._finished = True
            raise
        self.frames_read += chunk.shape[1]
        return chunk


def write_videos(chunks: Iterable[Tensor], paths: Sequence[str | Path], fps: float | None = None, *,
                 bar: tqdm | None = None, sound: str | Path | None = None, encoder: str = 'libx264') -> None:
    """Write one video for each row of the chunks; the next chunks are generated while one is written.

    Pixels are written as they are. Files get their final names once the last chunk is written; an error leaves
    no partial file. Of a :class:`FrameStream`, the disk space is checked first, and another ``fps`` than its own
    resamples it by time: the duration stays.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1] or uint8, shape (B, t, 3, H, W).
        paths (Sequence[str | Path]): One name for each row; see :class:`~leokit.video.VideoWriter`.
        fps (float, optional): Frames per second; those of the stream by default.
        bar (tqdm, optional): Updated by the number of frames written.
        sound (str | Path, optional): A file whose sound the videos get; see :mod:`leokit.video.sound`.
        encoder (str): The H.264 encoder, see :class:`~leokit.video.VideoWriter`.
    """
    _check_paths(paths, getattr(chunks, 'num_videos', None))
    waiting = 1  # chunks, besides the one being written
    if isinstance(chunks, FrameStream):
        if chunks.frames_read:
            raise UserError(f'{chunks.frames_read} of the {chunks.num_frames or "unknown number of"} frames of this '
                            f'stream have been read already, so {paths[0]} would lack them; call the method again for '
                            'a new stream')
        height, width = chunks.size if isinstance(chunks.size, tuple) else (chunks.size, chunks.size)
        if torch.cuda.is_available():
            waiting = max(waiting, min(WAITING_CHUNKS, WAITING_BYTES // (CHUNK_SIZE * 3 * height * width)))
        if chunks.num_frames is not None:
            check_space(paths, chunks.num_frames, height, width)
        source_fps = chunks.fps
        fps = fps or source_fps
        if source_fps and not is_same_rate(fps, source_fps):
            chunks = resample_chunks(chunks, source_fps, fps)
    if fps is None:
        raise UserError(f'the frame rate of {paths[0]} is unknown; pass fps')
    copies = copies_to_host(chunks, COLOR_MATRIX if all(map(is_h264_file, paths)) else None)
    with Prefetcher(copies, waiting) as ahead, writer_pool(paths, fps, sound=sound, encoder=encoder) as pool:
        for copy in ahead:
            videos = copy.wait()
            if len(videos) != len(paths):
                _check_paths(paths, len(videos))
            pool.write(videos)
            if bar is not None:
                bar.update(videos.shape[0] * videos.shape[1])


@contextmanager
def writer_pool(paths: Sequence[str | Path], fps: float, *, sound: str | Path | None = None,
                encoder: str = 'libx264') -> Iterator['WriterPool']:
    """Threads that write videos, whose files get their names at the end of the block unless it raises.

    The arguments are those of :func:`write_videos`.
    """
    # several files are encoded in parallel; 0 lets the encoder of a single one choose
    threads = 0 if len(paths) == 1 else max(1, worker_count() // len(paths))
    with ExitStack() as stack:
        writers = [stack.enter_context(VideoWriter(path, fps, threads=threads, sound=sound, encoder=encoder,
                                                   color_matrix=COLOR_MATRIX)) for path in paths]
        pool = stack.enter_context(WriterPool(writers))
        yield pool
        pool.close_files()


class WriterPool:
    """Threads that write chunks: each has its own videos, so that none waits for the slowest file of a chunk.

    Args:
        writers (Sequence[VideoWriter]): The files.
    """

    def __init__(self, writers: Sequence[VideoWriter]) -> None:
        count = min(len(writers), worker_count())
        self._shares = [writers[k::count] for k in range(count)]
        self._threads = [ThreadPoolExecutor(1) for _ in range(count)]
        self._running: deque[list[Future]] = deque()  # of the latest chunks

    def __enter__(self) -> 'WriterPool':
        return self

    def __exit__(self, *exception: object) -> None:
        for thread in self._threads:
            thread.shutdown(wait=True, cancel_futures=True)

    def write(self, videos: np.ndarray) -> None:
        """Write one chunk of all videos, as :class:`HostCopy` has it, while that before may still be written."""
        count = len(self._threads)
        self._running.append([thread.submit(_write_all, share, videos[k::count])
                              for k, (thread, share) in enumerate(zip(self._threads, self._shares))])
        self.wait(remaining=1)

    def close_files(self) -> None:
        """Complete all files at the same time: an encoder still holds some fifty frames of each.

        Not before all of them are written: a file that could not be written must not get its name.
        """
        self.wait()
        self._running.append([thread.submit(_close_all, share)
                              for thread, share in zip(self._threads, self._shares)])
        self.wait()

    def wait(self, remaining: int = 0) -> None:
        """Wait until at most ``remaining`` chunks are being written; raises what a writer raised."""
        while len(self._running) > remaining:
            for future in self._running.popleft():
                future.result()


def _write_all(writers: Sequence[VideoWriter], videos: np.ndarray) -> None:
    for writer, frames in zip(writers, videos):
        if frames.ndim == 3:  # (t, H * 3 / 2, W)
            writer.write_yuv420(frames)
        else:
            writer.write(frames)


def _close_all(writers: Sequence[VideoWriter]) -> None:
    for writer in writers:
        writer.close()


def _check_paths(paths: Sequence[str | Path], num_videos: int | None) -> None:
    """Raise unless there is one path for each video, and each path once."""
    if num_videos is not None and num_videos != len(paths):
        raise UserError(f'there are {num_videos} videos and {len(paths)} paths; pass one path for each video')
    repeated = [str(path) for path, count in Counter(map(Path, paths)).items() if count > 1]
    if repeated:
        raise UserError(f'{repeated[0]} is the path of several videos; pass one path for each video')


def resample_chunks(chunks: Iterable[Tensor], source_fps: float, fps: float) -> Iterator[Tensor]:
    """Frames (B, t, 3, H, W) of constant rate at another rate, in constant memory."""
    read = written = 0
    last = None
    for chunk in chunks:
        indices = []
        while (index := source_index(written, fps, source_fps)) < read + chunk.shape[1]:
            indices.append(index - read)
            written += 1
        if indices:
            # -1 is the last frame of the chunk before
            yield torch.stack([chunk[:, index] if index >= 0 else last for index in indices], dim=1)
        read, last = read + chunk.shape[1], chunk[:, -1]
    missing = resampled_count(read, fps, source_fps) - written if read else 0
    if missing > 0:
        yield torch.stack([last] * missing, dim=1)
