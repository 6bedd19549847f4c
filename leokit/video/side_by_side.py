"""Several videos side by side in one, in step."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from leokit.utils import UserError
from leokit.video.readers import VideoHandle

GAP = 4  # white pixels between two videos
CHUNK_SIZE = 16


class SideBySide:
    """Open videos in one row.

    All are shown at the highest frame rate among them and at the largest height; a video that ends earlier stays at its
    last frame.

    Args:
        videos (Sequence[VideoHandle]): Two or more open videos, which stay open.
    """

    def __init__(self, videos: Sequence[VideoHandle]) -> None:
        if len(videos) < 2:
            raise UserError('a comparison needs two videos or more; name another one')
        self.fps = max(video.fps for video in videos)
        self._videos = [video.at_rate(self.fps) for video in videos]
        self._length = max(map(len, self._videos))

    def __len__(self) -> int:
        """int: Number of frames."""
        return self._length

    def chunks(self, size: int = CHUNK_SIZE) -> Iterator[np.ndarray]:
        """Yield consecutive frames, uint8, shape (1, t, H, W, 3), W being all widths and the gaps."""
        height = max(video.read([0]).shape[1] for video in self._videos)
        for first in range(0, self._length, size):
            numbers = np.arange(first, min(first + size, self._length))
            columns = [at_height(video.read(np.minimum(numbers, len(video) - 1)), height) for video in self._videos]
            gap = np.full((len(numbers), height, GAP, 3), 255, np.uint8)
            row = [part for column in columns for part in (column, gap)][:-1]
            yield np.concatenate(row, axis=2)[None]


def describe(video: VideoHandle) -> str:
    """Name, size, number of frames and rate of an open video in words."""
    height, width = video.read([0]).shape[1:3]
    return f'{video.path.name}: {len(video)} frames, {video.fps:.4g} per second, {width}x{height}'


def at_height(frames: np.ndarray, height: int) -> np.ndarray:
    """Scale frames (T, H, W, 3) to a height."""
    if frames.shape[1] == height:
        return frames
    width = max(1, round(frames.shape[2] * height / frames.shape[1]))
    return np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC) for frame in frames])
