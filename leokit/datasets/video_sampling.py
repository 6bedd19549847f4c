"""Which video a draw of the training is taken from."""

from typing import Sequence

import numpy as np

from leokit.utils import UserError
from leokit.video.video_entry import VideoEntry

WEIGHTINGS = ('video', 'length', 'identity')


def check_weighting(weighting: str) -> None:
    """Raise a :class:`UserError` unless ``weighting`` is one of ``WEIGHTINGS``."""
    if weighting not in WEIGHTINGS:
        raise UserError(f'unknown weighting {weighting!r}; choose one of {", ".join(WEIGHTINGS)}')


class VideoSampler:
    """Chooses a video for each draw.

    Args:
        videos (Sequence[VideoEntry]): The videos, at least one.
        weighting (str): ``'video'``: the one at the draw's place in the epoch, so each of them in turn; else at
            random, see :func:`video_weights`.
        per_video (int): Places that each video has in an epoch.

    Raises:
        UserError: If the weighting is unknown.
    """

    def __init__(self, videos: Sequence[VideoEntry], weighting: str, per_video: int = 1) -> None:
        check_weighting(weighting)
        self.videos = videos
        self.per_video = per_video
        self._cumulative = None if weighting == 'video' else np.cumsum(video_weights(videos, weighting))

    def sample(self, index: int | None, generator: np.random.Generator) -> VideoEntry:
        """Choose a video.

        Args:
            index (int, optional): The draw's place in the epoch; None if the video there cannot be used.
            generator (np.random.Generator): The draw's source of randomness.

        Returns:
            VideoEntry: The video.
        """
        if self._cumulative is not None:
            place = int(np.searchsorted(self._cumulative, generator.random() * self._cumulative[-1], side='right'))
        elif index is not None:
            place = index // self.per_video
        else:
            place = int(generator.integers(len(self.videos)))
        return self.videos[place]


def video_weights(videos: Sequence[VideoEntry], weighting: str) -> np.ndarray:
    """How often each video is drawn, not normalized.

    Args:
        videos (Sequence[VideoEntry]): The videos.
        weighting (str): ``'video'``: all alike; ``'length'``: by frames in use; ``'identity'``: all people alike, and
            each person's videos by frames in use.

    Returns:
        np.ndarray: Shape (videos,).
    """
    lengths = np.array([video.length for video in videos], dtype=np.float64)
    if weighting == 'video':
        return np.ones_like(lengths)
    if weighting == 'length':
        return lengths
    _, people = np.unique([video.identity for video in videos], return_inverse=True)
    return lengths / np.bincount(people, weights=lengths)[people]
