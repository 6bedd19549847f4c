"""Single frames with their motion codes, the training data of the starting-frame model (LEO, section 3.3)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from leokit.datasets.code_cache import CodeCache, code_statistics
from leokit.datasets.video_dataset import VideoDataset, check_same_crop
from leokit.datasets.video_sampling import VideoSampler, check_weighting
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.utils.hashing import checkpoint_hash
from leokit.video.frame_rate import RATE_TOLERANCE, is_same_rate
from leokit.video.video_entry import Skipped, VideoEntry, warn_skipped


@DATASETS.register_module()
class CodedFrameDataset(VideoDataset):
    """Video frames, each with its motion code from a code cache.

    Video name and frame number match frames and codes. In evaluation, the K frames of a video are evenly spaced and
    are consecutive items. In training, they are random.

    Items: ``inputs`` ``frame``, uint8 (3, S, S), and ``motion``, float32 (N,), not normalized; ``data_samples``
    ``name``, ``identity`` and ``start``, the frame's number in the file.

    Args:
        data_root (str | Path): A folder of videos or frame folders, or a manifest.
        size (int): Resolution S of the frames.
        codes_dir (str | Path): A code cache of the same videos.
        animator_hash (str, optional): Expected animator of the codes, by its ``weights_hash()``. Default: any.
        animator_checkpoint (str | Path, optional): Expected animator of the codes, by its checkpoint.
        filters (dict, optional): Selection of videos; see :class:`~leokit.video.video_filter.VideoFilter`.
        frames (dict, optional): Frame store; see :func:`~leokit.datasets.frame_store.build_frame_store`.
        frames_per_video (int): Frames K per video in evaluation and per epoch.
        weighting (str): Choice of videos in training; see :class:`~leokit.datasets.video_sampling.VideoSampler`.
        seed (int): Seed of the random choices in training.

    Attributes:
        animator_hash (str): ``weights_hash`` of the animator that extracted the codes.
        motion_dim (int): Dimension N of the codes.
    """

    def __init__(self, data_root: str | Path, size: int, *, codes_dir: str | Path, animator_hash: str | None = None,
                 animator_checkpoint: str | Path | None = None, filters: dict | None = None,
                 frames: dict | None = None, frames_per_video: int = 1, weighting: str = 'video',
                 seed: int = 0) -> None:
        if frames_per_video < 1:
            raise UserError(f'frames_per_video must be at least 1, got {frames_per_video}')
        check_weighting(weighting)
        if animator_checkpoint is not None:
            animator_hash = checkpoint_hash(animator_checkpoint)
        cache = CodeCache(codes_dir, animator_hash)  # checked first: filling the frame store may take long
        check_same_crop((frames or {}).get('crop') or 'center', cache.animator.get('crop'), f'the codes in {codes_dir}')
        super().__init__(data_root, size, min_frames=1, filters=filters, frames=frames, seed=seed)
        self.frames_per_video = frames_per_video
        self.motion_dim = cache.motion_dim
        self.animator_hash = cache.animator_hash
        self._offsets = self._match(cache, data_root)
        self._codes = torch.from_numpy(np.array(cache.codes))
        self._video_sampler = VideoSampler(self.videos, weighting, frames_per_video)

    def _match(self, cache: CodeCache, data_root: str | Path) -> dict[str, int]:
        """Row of the first code of each video, by video name. Removes the videos that could not be encoded."""
        self.videos = [part for video in self.videos for part in _coded_parts(video, cache)]
        coded = {video.name: video for video in cache.videos}
        not_encoded = {str(skipped.file) for skipped in cache.skipped}
        left_out = [Skipped(str(video.path), f'it could not be encoded; see {cache.folder}')
                    for video in self.videos if video.name not in coded and str(video.path) in not_encoded]
        files = {skipped.file for skipped in left_out}
        self.videos = [video for video in self.videos if str(video.path) not in files]
        self.skipped = self.skipped + left_out
        warn_skipped(left_out, data_root)
        for video in self.videos:
            if video.name not in coded:
                raise UserError(f'there are no codes of {video.path} in {cache.folder}; extract the codes of '
                                f'{data_root} with `leokit extract`, which adds the missing ones')
            if coded[video.name].fps and not is_same_rate(coded[video.name].fps, video.fps, RATE_TOLERANCE):
                raise UserError(f'the codes of {video.path} in {cache.folder} have {coded[video.name].fps:.4g} frames '
                                f'per second and the video {video.fps:.4g}, so that no frame belongs to a code; '
                                'resample the videos with `leokit prepare --fps`, and extract the codes of the result')
            length = coded[video.name].video_length
            if length != video.frames:
                raise UserError(f'{video.path} has {video.frames} frames, but {length} codes in {cache.folder}; the '
                                'video has changed since: delete that folder and extract the codes again')
        if not self.videos:
            raise UserError(f'none of the videos of {data_root} has codes in {cache.folder}; the first problem: '
                            f'{left_out[0]}')
        return {video.name: coded[video.name].offset - coded[video.name].first for video in self.videos}

    def statistics(self) -> dict[str, np.ndarray]:
        """``mean`` and ``std`` of the codes in use, float64, shape (N,)."""
        # rows of the frames in use
        spans = [(self._offsets[video.name] + video.first, video.length) for video in self.videos]
        return code_statistics(self._codes.numpy(), spans)

    def __len__(self) -> int:
        return len(self.videos) * self.frames_per_video

    def _fixed_frames(self, index: int, attempt: int) -> tuple[VideoEntry, np.ndarray]:
        position, number = divmod(index, self.frames_per_video)
        video = self.videos[(position + attempt) % len(self.videos)]
        # the center of part ``number`` of K equal parts of the video
        return video, np.array([video.first + (2 * number + 1) * video.length // (2 * self.frames_per_video)])

    def _random_frames(self, index: int | None, generator: np.random.Generator) -> tuple[VideoEntry, np.ndarray]:
        video = self._video_sampler.sample(index, generator)
        return video, video.first + generator.integers(video.length, size=1)

    def _load_item(self, video: VideoEntry, frames: np.ndarray) -> dict[str, dict[str, Any]]:
        number = int(frames[0])
        return dict(inputs=dict(frame=self.store.read(video, frames)[0],
                                motion=self._codes[self._offsets[video.name] + number]),
                    data_samples=dict(name=video.name, identity=video.identity, start=number))


def _coded_parts(video: VideoEntry, cache: CodeCache) -> list[VideoEntry]:
    """A video, or the intact stretches of a damaged one that are in use."""
    parts = [part for part in cache.videos if part.part_of == video.name]
    if not parts:
        return [video]
    spans = [(part.name, max(video.first, part.first), min(video.last, part.first + part.length)) for part in parts]
    return [replace(video, name=name, first=first, last=last) for name, first, last in spans if last > first]
