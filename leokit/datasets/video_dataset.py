"""Base of the datasets of video frames: video index, frame store, replacement of unreadable videos."""

import logging
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torch.utils.data import Dataset

from leokit.datasets.deterministic_sampler import SampleKey
from leokit.datasets.frame_store import build_frame_store
from leokit.utils import UserError
from leokit.video.video_entry import Skipped, VideoEntry, warn_skipped
from leokit.video.video_filter import VideoFilter
from leokit.video.video_index import VideoIndex

MAX_ATTEMPTS = 10  # videos tried for one item before giving up


class VideoDataset(Dataset):
    """Base of :class:`FramePairDataset` and :class:`ClipDataset`.

    The index of an item is an integer (evaluation: always the same item) or a :class:`SampleKey` (training: random, as
    a function of the key, ``seed`` and the seed of the training). A video whose frames turn out to be unreadable is
    named in a warning, recorded in ``skipped`` and replaced: by the next video in evaluation, by a newly sampled one
    in training.

    Args:
        data_root (str | Path): A folder of videos or frame folders, or a manifest.
        size (int): Resolution S of the frames.
        min_frames (int): Minimum number of frames of a video.
        filters (dict, optional): Selection of videos; see :class:`~leokit.video.video_filter.VideoFilter`.
        frames (dict, optional): Frame store; see :func:`~leokit.datasets.frame_store.build_frame_store`.
        seed (int): Seed of the random choices in training.

    Attributes:
        videos (list[VideoEntry]): The videos in use.
        skipped (list[Skipped]): Videos that cannot be used, with reasons.
        crop (str): How frames become square; see :func:`~leokit.video.resize.fit_frames`.
    """

    def __init__(self, data_root: str | Path, size: int, *, min_frames: int, filters: dict | None = None,
                 frames: dict | None = None, seed: int = 0) -> None:
        self.size = size
        self.seed = seed
        self.run_seed = 0  # of the training; set by DeterministicSampler
        self.crop = (frames or {}).get('crop') or 'center'
        self.store, reader = build_frame_store(size, frames)
        index = VideoIndex(data_root, VideoFilter.from_config(filters, min_frames=min_frames), reader=reader)
        unreadable = self.store.prepare(index.videos)
        warn_skipped(unreadable, data_root)
        bad = {file for file, _ in unreadable}
        self.skipped: list[Skipped] = index.skipped + unreadable
        self.videos: list[VideoEntry] = [video for video in index.videos if str(video.path) not in bad]
        if not self.videos:
            raise UserError(f'none of the videos of {data_root} can be decoded; the first problem: {unreadable[0]}')
        self.metainfo = dict(dataset=type(self).__name__, data_root=str(data_root))  # required by MMEngine's evaluator
        self._warned: set[str] = set()  # names of the videos that a warning was given for

    def __getitem__(self, index: int | SampleKey) -> dict[str, dict[str, Any]]:
        """Load one item: ``inputs`` (tensors) and ``data_samples`` (names and numbers)."""
        if isinstance(index, SampleKey):
            generator = index.generator(self.seed, self.run_seed)
        else:
            generator, index = None, range(len(self))[index]  # IndexError beyond the end
        for attempt in range(MAX_ATTEMPTS):
            video, frames = (self._fixed_frames(index, attempt) if generator is None
                             else self._random_frames(index.index if attempt == 0 else None, generator))
            try:
                return self._load_item(video, frames)
            except UserError as error:
                self._note(video, error)
        raise UserError(f'videos could not be read {MAX_ATTEMPTS} times in a row; the last: {self.skipped[-1]}')

    @abstractmethod
    def __len__(self) -> int:
        """int: Number of items in evaluation, and of samples in an epoch."""

    @abstractmethod
    def _fixed_frames(self, index: int, attempt: int) -> tuple[VideoEntry, np.ndarray]:
        """Video and frames (numbers in the file) of item ``index`` in evaluation, ``attempt`` videos further on."""

    @abstractmethod
    def _random_frames(self, index: int | None, generator: np.random.Generator) -> tuple[VideoEntry, np.ndarray]:
        """Random video and frames for item ``index`` of the epoch, or for any item if None."""

    @abstractmethod
    def _load_item(self, video: VideoEntry, frames: np.ndarray) -> dict[str, dict[str, Any]]:
        """Read the frames and assemble the item."""

    def _note(self, video: VideoEntry, error: UserError) -> None:
        if video.name not in self._warned:
            self._warned.add(video.name)
            self.skipped.append(Skipped(str(video.path), str(error)))
            print_log(f'{video.path} is replaced by another video: {error}', logger='current', level=logging.WARNING)


def check_same_crop(crop: str, encoded: str | None, source: str) -> None:
    """Raise a :class:`UserError` if frames become square in another way than those that were encoded.

    Args:
        crop (str): Crop of the dataset.
        encoded (str, optional): Crop of the encoded frames; None if it is unknown.
        source (str): The encoded frames, for the message.
    """
    if encoded is not None and crop != encoded:
        raise UserError(f'the frames of the dataset have crop={crop!r}, but {source} belong to crop={encoded!r}; set '
                        f'frames=dict(crop={encoded!r}) in the dataset (in the shipped configs: crop={encoded!r})')
