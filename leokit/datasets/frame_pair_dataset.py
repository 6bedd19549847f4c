"""Pairs of frames of one video, the training data of the animator (LIA, ICLR 2022, section 3.3)."""

import math
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np
import torch

from leokit.datasets.face_regions import FaceRegionTable
from leokit.datasets.video_dataset import VideoDataset
from leokit.datasets.video_sampling import VideoSampler, check_weighting
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.video.video_entry import VideoEntry


@DATASETS.register_module()
class FramePairDataset(VideoDataset):
    """Pairs of a source and a driving frame.

    In evaluation, the source of all K pairs of a video is its first frame in use; the driving frame of pair k is
    at (k + 1) / K of the way to the last frame. The pairs of a video are consecutive items. In training, both frames
    are random.

    Items: ``inputs`` ``source`` and ``driving``, uint8 (3, S, S), and with ``regions`` also ``regions`` of the driving
    and ``source_regions`` of the source frame, float32 (R, 2, 3), see :mod:`leokit.nn.face_regions`; ``data_samples``
    ``name``, ``identity`` and ``frames``, the two frame numbers in the file (2,).

    Args:
        data_root (str | Path): A folder of videos or frame folders, or a manifest.
        size (int): Resolution S of the frames.
        filters (dict, optional): Selection of videos; see :class:`~leokit.video.video_filter.VideoFilter`.
        frames (dict, optional): Frame store; see :func:`~leokit.datasets.frame_store.build_frame_store`.
        pairs_per_video (int): Pairs K per video in evaluation and per epoch.
        min_gap (int): Minimum distance of the two frames in training, or the largest one of a shorter video.
        distance_power (float): Power p in the probability of a pair, which is proportional to (distance of its
            frames)^p. 0 makes all pairs equally likely; p > 0 favors distant frames, which mostly show more motion;
            -1 gives every octave of distances about the same probability, so that there are pairs that agree in pose
            but differ in mouth and eyes.
        weighting (str): Choice of videos in training; see :class:`~leokit.datasets.video_sampling.VideoSampler`.
        category_shares (Mapping[str, float], optional): Fractions of the training samples by category, such as
            ``dict(synthetic=0.5)``; see :func:`~leokit.datasets.video_sampling.video_weights`.
        seed (int): Seed of the random choices in training.
        regions (str | Path | Sequence, optional): Files of ``leokit data regions``, for losses on mouth and eyes. In
            training only: models take no regions otherwise.
    """

    def __init__(self, data_root: str | Path, size: int, *, filters: dict | None = None, frames: dict | None = None,
                 pairs_per_video: int = 1, min_gap: int = 1, distance_power: float = 0.0, weighting: str = 'video',
                 category_shares: Mapping[str, float] | None = None, seed: int = 0,
                 regions: str | Path | Sequence[str | Path] | None = None) -> None:
        if pairs_per_video < 1 or min_gap < 1:
            raise UserError(f'pairs_per_video and min_gap must be at least 1, got {pairs_per_video} and {min_gap}')
        check_weighting(weighting)
        super().__init__(data_root, size, min_frames=2, filters=filters, frames=frames, seed=seed)
        self.pairs_per_video = pairs_per_video
        self.min_gap = min_gap
        if not (isinstance(distance_power, (int, float)) and math.isfinite(distance_power)):
            raise ValueError(f'distance_power must be a finite number, got {distance_power!r}')
        self.distance_power = distance_power
        self._video_sampler = VideoSampler(self.videos, weighting, pairs_per_video, category_shares)
        self._regions = None if regions is None else FaceRegionTable(regions, self.videos, self.crop)

    def __len__(self) -> int:
        return len(self.videos) * self.pairs_per_video

    def _fixed_frames(self, index: int, attempt: int) -> tuple[VideoEntry, np.ndarray]:
        position, pair = divmod(index, self.pairs_per_video)
        video = self.videos[(position + attempt) % len(self.videos)]
        driving = max(1, round((pair + 1) / self.pairs_per_video * (video.length - 1)))
        return video, video.first + np.array([0, driving])

    def _random_frames(self, index: int | None, generator: np.random.Generator) -> tuple[VideoEntry, np.ndarray]:
        video = self._video_sampler.sample(index, generator)
        return video, video.first + self._sample_pair(video.length, generator)

    def _sample_pair(self, length: int, generator: np.random.Generator) -> np.ndarray:
        # length - d pairs have the distance d; its probability is proportional to their number times their weight.
        distances = np.arange(min(self.min_gap, length - 1), length)
        weights = np.cumsum((length - distances) * distances.astype(np.float64)**self.distance_power)
        distance = distances[np.searchsorted(weights, generator.random() * weights[-1], side='right')]
        start = generator.integers(length - distance)
        pair = np.array([start, start + distance])
        # either frame is the source; the copy gives torch.from_numpy a positive stride
        return pair[::-1].copy() if generator.random() < 0.5 else pair

    def _load_item(self, video: VideoEntry, frames: np.ndarray) -> dict[str, dict[str, Any]]:
        source, driving = self.store.read(video, frames)
        inputs = dict(source=source, driving=driving)
        if self._regions is not None:
            inputs['source_regions'], inputs['regions'] = (self._regions.maps(video, int(frame)) for frame in frames)
        return dict(inputs=inputs,
                    data_samples=dict(name=video.name, identity=video.identity, frames=torch.from_numpy(frames)))
