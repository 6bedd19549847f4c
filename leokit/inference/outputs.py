"""Frames from a pipeline to files, as they are made."""

from contextlib import ExitStack
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import numpy as np
from torch import Tensor
from tqdm import tqdm

from leokit.utils import Prefetcher
from leokit.utils.pixels import to_uint8
from leokit.video import VideoWriter, check_space

OUTPUT_SUFFIXES = dict(mp4='.mp4', gif='.gif', npy='.npy', frames='')  # what ``VideoWriter`` goes by


class FrameStream(Iterator[Tensor]):
    """Chunks of frames, made when they are asked for, that know how many will come and how large they are.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        num_frames (int): Frames of each video, all chunks together.
        size (int): H and W.
    """

    def __init__(self, chunks: Iterable[Tensor], num_frames: int, size: int) -> None:
        self._chunks = iter(chunks)
        self.num_frames = num_frames
        self.size = size

    def __next__(self) -> Tensor:
        return next(self._chunks)


def write_videos(chunks: Iterable[Tensor], paths: Sequence[str | Path], fps: float, *,
                 bar: tqdm | None = None) -> None:
    """Write one video for each row of the chunks; the next chunk is made while one is written.

    Pixels are written as they are. Files appear under their names when the last chunk is written; an error leaves
    no half file. Where the chunks are a :class:`FrameStream`, nothing is begun that the disk has no room for.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames in [-1, 1], shape (B, t, 3, H, W).
        paths (Sequence[str | Path]): One name for each row; see :class:`~leokit.video.VideoWriter`.
        fps (float): Frames per second.
        bar (tqdm, optional): Told how many frames were written.

    Raises:
        UserError: If the disk has no room or a file cannot be written, or whatever making the chunks raises.
        ValueError: If the number of rows is not the number of paths.
    """
    if isinstance(chunks, FrameStream):
        check_space(paths, chunks.num_frames, chunks.size, chunks.size)
    threads = 0 if len(paths) == 1 else 1  # the files are encoded side by side already
    with ExitStack() as stack:
        ahead = stack.enter_context(Prefetcher(_as_bytes(chunks)))
        writers = [stack.enter_context(VideoWriter(path, fps, threads=threads)) for path in paths]
        for videos in ahead:
            if len(videos) != len(writers):
                raise ValueError(f'there are {len(videos)} videos and {len(writers)} paths')
            for writer, frames in zip(writers, videos):
                writer.write(frames)
            if bar is not None:
                bar.update(videos.shape[0] * videos.shape[1])


def _as_bytes(chunks: Iterable[Tensor]) -> Iterator[np.ndarray]:
    """uint8 (B, t, H, W, 3) of float (B, t, 3, H, W)."""
    for frames in chunks:
        yield to_uint8(frames).permute(0, 1, 3, 4, 2).cpu().numpy()
