"""Frames decoded from the video file at every read."""

from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.utils import UserError
from leokit.video.frame_fit import SquareFit
from leokit.video.frame_rate import resampled_count
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.readers.base import open_at_rate
from leokit.video.readers.damage import Damage, DamagedFrameError, Stretch
from leokit.video.resize import check_crop
from leokit.video.video_entry import Skipped, VideoEntry

CHUNK_FRAMES = 32  # frames at the resolution of the file that are in memory at a time


class FrameDecoder:
    """A frame store that decodes at every read.

    Args:
        size (int): Resolution S of the frames.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.
        reader (VideoReader, optional): Opens the videos. Default: ``AutoReader()``.
        fps (float, optional): Frame rate of :meth:`stream`. Default: that of each video.
    """

    def __init__(self, size: int, crop: str = 'center', *, reader: VideoReader | None = None,
                 fps: float | None = None) -> None:
        check_crop(crop)
        self.size = size
        self.crop = crop
        self._fit = SquareFit(size, crop)
        self.reader = reader or AutoReader()
        self.fps = fps

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Return no skipped videos: there is nothing to prepare."""
        return []

    def read(self, video: VideoEntry, frames: np.ndarray, *, out: np.ndarray | None = None) -> Tensor:
        """Decode frames by their numbers in the file, shape (T,): uint8, shape (T, 3, S, S), into ``out`` if given."""
        with self.reader.open(video.path) as opened:
            if max(frames) >= len(opened):
                raise UserError(f'{video.path} has {len(opened)} frames now, {video.frames} when it was probed; '
                                'run the command again')
            pixels = np.empty((len(frames), 3, self.size, self.size), np.uint8) if out is None else out
            # in chunks: frames at the resolution of the file can be much larger than S x S
            step = opened.chunk_length(CHUNK_FRAMES)
            for start in range(0, len(frames), step):
                part = slice(start, start + step)
                pixels[part] = opened.read_fitted(frames[part], self._fit).transpose(0, 3, 1, 2)
            return torch.from_numpy(pixels)

    def stream(self, video: VideoEntry, first: int = 0, last: int | None = None) -> Iterator[np.ndarray]:
        """Decode a video, or a stretch of it, in chunks: uint8 arrays of shape (t, 3, S, S), channels last in memory.

        Raises:
            DamagedFrameError: If frames are damaged, which ends a whole video.
        """
        with open_at_rate(self.reader, video.path, video.fps, self.fps) as opened:
            expected = resampled_count(video.frames, opened.fps, video.fps) if self.fps else video.frames
            if len(opened) != expected:
                raise UserError(f'{video.path} has {len(opened)} frames now, {expected} when it was probed; '
                                'run the command again')
            if last is None and opened.marked_damaged:
                raise DamagedFrameError(f'{video.path} has {opened.marked_damaged} damaged packets')
            for chunk in opened.fitted_chunks(self._fit, CHUNK_FRAMES, first, last):
                yield chunk.transpose(0, 3, 1, 2)  # a view: networks run in this layout

    def intact_stretches(self, video: VideoEntry) -> tuple[list[Stretch], list[Stretch]]:
        """Intact and damaged stretches of a video, at the rate of :meth:`stream`."""
        with open_at_rate(self.reader, video.path, video.fps, self.fps) as opened:
            return Damage(opened).stretches()
