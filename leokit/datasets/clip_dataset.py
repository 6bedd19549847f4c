"""Clips: sequences of frames of one video."""

from pathlib import Path
from typing import Any

import numpy as np

from leokit.datasets.video_dataset import VideoDataset
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.video.video_entry import VideoEntry

CLIPS = ('first', 'center', 'all')


@DATASETS.register_module()
class ClipDataset(VideoDataset):
    """Clips of T frames, every ``stride``-th frame of a video.

    In evaluation, ``clips`` determines the clips of each video. In training, a clip starts at a random frame of its
    video, and an epoch has as many clips of each video as the evaluation.

    Items: ``inputs`` ``video``, uint8 (T, 3, S, S); ``data_samples`` ``name``, ``identity``, ``start`` (number of the
    first frame in the file) and ``fps`` (of the clip: the video's divided by ``stride``).

    Args:
        data_root (str | Path): A folder of videos or frame folders, or a manifest.
        size (int): Resolution S of the frames.
        num_frames (int): Frames T of a clip.
        stride (int): Distance of the frames of a clip in the video.
        clips (str): Clips of each video in evaluation: ``'first'``, ``'center'``, or ``'all'`` without overlap.
        max_clips (int, optional): Maximum number of clips, evenly spaced over all of these. Default: no limit.
        filters (dict, optional): Selection of videos; see :class:`~leokit.video.video_filter.VideoFilter`.
        frames (dict, optional): Frame store; see :func:`~leokit.datasets.frame_store.build_frame_store`.
        seed (int): Seed of the random choices in training.
    """

    def __init__(self, data_root: str | Path, size: int, *, num_frames: int, stride: int = 1, clips: str = 'first',
                 max_clips: int | None = None, filters: dict | None = None, frames: dict | None = None,
                 seed: int = 0) -> None:
        if num_frames < 1 or stride < 1:
            raise UserError(f'num_frames and stride must be at least 1, got {num_frames} and {stride}')
        if clips not in CLIPS:
            raise UserError(f'unknown clips {clips!r}; choose one of {", ".join(CLIPS)}')
        if max_clips is not None and max_clips < 1:
            raise UserError(f'max_clips must be at least 1, got {max_clips}')
        self.num_frames = num_frames
        self.stride = stride
        self.span = (num_frames - 1) * stride + 1  # extent of a clip in frames of the video
        super().__init__(data_root, size, min_frames=self.span, filters=filters, frames=frames, seed=seed)
        self.clips = clips
        # (index of the video, first frame) of every clip
        self._clips = [(position, start) for position, video in enumerate(self.videos) for start in self._starts(video)]
        if max_clips is not None and max_clips < len(self._clips):
            self._clips = [self._clips[number * len(self._clips) // max_clips] for number in range(max_clips)]

    def __len__(self) -> int:
        return len(self._clips)

    def _starts(self, video: VideoEntry) -> list[int]:
        if self.clips == 'center':
            return [video.first + (video.length - self.span) // 2]
        starts = range(video.first, video.last - self.span + 1, self.num_frames * self.stride)
        return list(starts) if self.clips == 'all' else [video.first]

    def _fixed_frames(self, index: int, attempt: int) -> tuple[VideoEntry, np.ndarray]:
        position, start = self._clips[index]
        if attempt:
            position = (position + attempt) % len(self.videos)
            start = self._starts(self.videos[position])[0]
        return self.videos[position], self._numbers(start)

    def _random_frames(self, index: int | None, generator: np.random.Generator) -> tuple[VideoEntry, np.ndarray]:
        position, _ = self._clips[int(generator.integers(len(self._clips))) if index is None else index]
        video = self.videos[position]
        return video, self._numbers(video.first + int(generator.integers(video.length - self.span + 1)))

    def _numbers(self, start: int) -> np.ndarray:
        return start + self.stride * np.arange(self.num_frames)

    def _load_item(self, video: VideoEntry, frames: np.ndarray) -> dict[str, dict[str, Any]]:
        return dict(inputs=dict(video=self.store.read(video, frames)),
                    data_samples=dict(name=video.name, identity=video.identity, start=int(frames[0]),
                                      fps=video.fps / self.stride))
