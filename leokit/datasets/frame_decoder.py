"""Frames of a data set's videos at its size: what gives them, and the plain way, decoding when asked."""

from typing import Iterator, Protocol, Sequence

import numpy as np
import torch
from torch import Tensor

from leokit.utils import UserError
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.resize import check_crop, fit_frames, to_channels_first
from leokit.video.video_entry import Skipped, VideoEntry

CHUNK_FRAMES = 32  # frames of full size in memory at a time


class FrameStore(Protocol):
    """Frames of a data set's videos at its size."""

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Do what has to be done once; return the videos that cannot be read."""

    def read(self, video: VideoEntry, frames: np.ndarray) -> Tensor:
        """Frames of a video, by their number in the file: uint8, shape (T, 3, S, S)."""


class FrameDecoder:
    """Decodes frames whenever they are asked for.

    Args:
        size (int): Side S of the frames.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.
        reader (VideoReader, optional): How to open videos; ``AutoReader()`` by default.
    """

    def __init__(self, size: int, crop: str = 'center', *, reader: VideoReader | None = None) -> None:
        check_crop(crop)
        self.size = size
        self.crop = crop
        self.reader = reader or AutoReader()

    def prepare(self, videos: Sequence[VideoEntry]) -> list[Skipped]:
        """Nothing to prepare."""
        return []

    def read(self, video: VideoEntry, frames: np.ndarray) -> Tensor:
        """Decode frames.

        Args:
            video (VideoEntry): The video.
            frames (np.ndarray): Frame numbers in the file, shape (T,).

        Returns:
            Tensor: uint8, shape (T, 3, S, S).

        Raises:
            UserError: If they cannot be decoded.
        """
        with self.reader.open(video.path) as opened:
            if max(frames) >= len(opened):
                raise UserError(f'{video.path} has {len(opened)} frames now, {video.frames} when it was probed; '
                                'start again')
            pixels = np.empty((len(frames), 3, self.size, self.size), np.uint8)
            for start in range(0, len(frames), CHUNK_FRAMES):
                part = slice(start, start + CHUNK_FRAMES)
                pixels[part] = self._fit(opened.read(frames[part]))
            return torch.from_numpy(pixels)

    def stream(self, video: VideoEntry) -> Iterator[np.ndarray]:
        """Decode a whole video in chunks: uint8 arrays of shape (t, 3, S, S)."""
        with self.reader.open(video.path) as opened:
            if len(opened) != video.frames:
                raise UserError(f'{video.path} has {len(opened)} frames now, {video.frames} when it was probed; '
                                'start again')
            for chunk in opened.chunks(CHUNK_FRAMES):
                yield self._fit(chunk)

    def _fit(self, frames: np.ndarray) -> np.ndarray:
        return to_channels_first(fit_frames(frames, self.size, crop=self.crop))
