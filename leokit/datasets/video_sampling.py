"""Random choice of videos in training."""

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
    """Chooses the video of each training sample.

    Args:
        videos (Sequence[VideoEntry]): The videos, at least one.
        weighting (str): ``'video'``: every video equally often in an epoch, by the index of the sample; else at random
            with the weights of :func:`video_weights`.
        per_video (int): Samples per video and epoch.
    """

    def __init__(self, videos: Sequence[VideoEntry], weighting: str, per_video: int = 1) -> None:
        check_weighting(weighting)
        self.videos = videos
        self.per_video = per_video
        self._cumulative = None if weighting == 'video' else np.cumsum(video_weights(videos, weighting))

    def sample(self, index: int | None, generator: np.random.Generator) -> VideoEntry:
        """Choose a video.

        Args:
            index (int, optional): Index of the sample in the dataset; None for any video, when that of the index
                cannot be read.
            generator (np.random.Generator): Source of randomness of the sample.
        """
        if self._cumulative is not None:  # inverse of the cumulative distribution
            position = int(np.searchsorted(self._cumulative, generator.random() * self._cumulative[-1], side='right'))
        elif index is not None:
            position = index // self.per_video
        else:
            position = int(generator.integers(len(self.videos)))
        return self.videos[position]


def video_weights(videos: Sequence[VideoEntry], weighting: str) -> np.ndarray:
    """Sampling weights of the videos, shape (videos,), not normalized.

    Args:
        videos (Sequence[VideoEntry]): The videos.
        weighting (str): ``'video'``: equal; ``'length'``: proportional to the frames in use; ``'identity'``: equal per
            identity, and within an identity proportional to the frames in use.
    """
    lengths = np.array([video.length for video in videos], dtype=np.float64)
    if weighting == 'video':
        return np.ones_like(lengths)
    if weighting == 'length':
        return lengths
    _, identities = np.unique([video.identity for video in videos], return_inverse=True)
    return lengths / np.bincount(identities, weights=lengths)[identities]
