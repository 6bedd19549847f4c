"""Random choice of videos in training."""

import math
from typing import Mapping, Sequence

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
        weighting (str): ``'video'`` without ``category_shares``: every video equally often in an epoch, by the index
            of the sample; else at random with the weights of :func:`video_weights`.
        per_video (int): Samples per video and epoch.
        category_shares (Mapping[str, float], optional): See :func:`video_weights`.
    """

    def __init__(self, videos: Sequence[VideoEntry], weighting: str, per_video: int = 1,
                 category_shares: Mapping[str, float] | None = None) -> None:
        check_weighting(weighting)
        self.videos = videos
        self.per_video = per_video
        self._cumulative = (None if weighting == 'video' and not category_shares
                            else np.cumsum(video_weights(videos, weighting, category_shares)))

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


def video_weights(videos: Sequence[VideoEntry], weighting: str,
                  category_shares: Mapping[str, float] | None = None) -> np.ndarray:
    """Sampling weights of the videos, shape (videos,), not normalized.

    Args:
        videos (Sequence[VideoEntry]): The videos.
        weighting (str): ``'video'``: equal; ``'length'``: proportional to the frames in use; ``'identity'``: equal per
            identity, and within an identity proportional to the frames in use.
        category_shares (Mapping[str, float], optional): Fraction of the samples by category. The categories that are
            not named divide the rest; within each of these groups ``weighting`` decides.
    """
    lengths = np.array([video.length for video in videos], dtype=np.float64)
    if weighting == 'video':
        weights = np.ones_like(lengths)
    elif weighting == 'length':
        weights = lengths
    else:
        _, identities = np.unique([video.identity for video in videos], return_inverse=True)
        weights = lengths / np.bincount(identities, weights=lengths)[identities]
    return _with_shares(weights, videos, category_shares) if category_shares else weights


def _with_shares(weights: np.ndarray, videos: Sequence[VideoEntry],
                 category_shares: Mapping[str, float]) -> np.ndarray:
    """The weights scaled so that each group of categories has its share; their sum is 1."""
    for category, share in category_shares.items():
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
            raise UserError(f'category_shares: the share of {category!r} must be in (0, 1], got {share!r}')
    # rounding, so that 0.7 + 0.3 leaves nothing
    rest = round(1 - math.fsum(category_shares.values()), 9)
    if rest < 0:
        raise UserError(f'category_shares: the shares must not sum to more than 1, got {dict(category_shares)}')
    groups = np.array([video.category if video.category in category_shares else '' for video in videos])
    present = set(groups.tolist())
    for category in category_shares:
        if category not in present:
            existing = ', '.join(sorted({str(video.category) for video in videos}))
            raise UserError(f'category_shares: no video in use has the category {category!r}; there are: {existing}')
    if ('' in present) != (rest > 0):
        problem = ('leave nothing for the videos of other categories; name these, or leave them out by filters.category'
                   if rest == 0 else 'sum to less than 1, but there are no videos of other categories')
        raise UserError(f'category_shares: the shares {dict(category_shares)} {problem}')
    scaled = np.empty_like(weights)
    for group in present:
        members = groups == group
        scaled[members] = weights[members] * (category_shares.get(group, rest) / weights[members].sum())
    return scaled
