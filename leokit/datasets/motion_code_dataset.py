"""Windows of motion codes, the training data of the latent motion diffusion model (LEO, section 3.2)."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Dataset

from leokit.datasets.code_cache import CodeCache, code_statistics, window_starts
from leokit.datasets.control_file import Controls, load_controls
from leokit.datasets.deterministic_sampler import SampleKey
from leokit.registry import DATASETS
from leokit.utils import UserError
from leokit.utils.hashing import checkpoint_hash
from leokit.video.frame_rate import format_rates, group_rates
from leokit.video.video_entry import Skipped, VideoEntry, warn_listed, warn_skipped
from leokit.video.video_filter import VideoFilter, select_videos
from leokit.video.video_list import find_videos


@DATASETS.register_module()
class MotionCodeDataset(Dataset):
    """All windows of T consecutive codes of one video.

    All codes are in memory as one tensor; a batch is one gather from it, on the CPU or a GPU. Items: ``inputs``
    ``motion``, float32 (T, N), not normalized; ``data_samples`` ``name`` and ``start``, the first frame of the window.

    With ``min_frames``, videos shorter than T are one window each, padded with their last code, and ``inputs`` has
    ``mask``, bool (T,), True in their own frames. With ``controls``, it has ``control``, float32 (T, C).

    Args:
        codes_dir (str | Path): A code cache.
        num_frames (int): Window length T.
        stride (int): Distance of consecutive windows of a video.
        min_frames (int, optional): Length from which shorter videos are used too; T by default.
        controls (str | Path, optional): File with a control sequence of every video, of
            :func:`~leokit.datasets.control_file.save_controls`.
        data_root (str | Path, optional): The videos of the codes, a folder or a manifest: their present identities,
            splits and categories count, and videos that it no longer lists are left out. Default, or if it does not
            exist: the labels at the time of the extraction.
        animator_hash (str, optional): Expected animator of the codes, by its ``weights_hash()``. Default: any.
        animator_checkpoint (str | Path, optional): Expected animator of the codes, by its checkpoint.
        filters (dict, optional): Selection of videos; see :class:`~leokit.video.video_filter.VideoFilter`.
        device (str, optional): Device of the codes; a GPU requires ``num_workers=0`` in the data loader.

    Attributes:
        videos (list[VideoEntry]): The videos in use.
        skipped (list[Skipped]): Videos too short for a window.
        animator_hash (str): ``weights_hash`` of the animator that extracted the codes.
        motion_dim (int): Dimension N of the codes.
        fps (float, optional): Frame rate of all codes in use; None if unknown.
    """

    def __init__(self, codes_dir: str | Path, num_frames: int, *, stride: int = 1, min_frames: int | None = None,
                 controls: str | Path | None = None, data_root: str | Path | None = None,
                 animator_hash: str | None = None, animator_checkpoint: str | Path | None = None,
                 filters: dict | None = None, device: str | None = None) -> None:
        if num_frames < 1 or stride < 1:
            raise UserError(f'num_frames and stride must be at least 1, got {num_frames} and {stride}')
        if min_frames is not None and not 1 <= min_frames <= num_frames:
            raise UserError(f'min_frames={min_frames} must lie between 1 and num_frames={num_frames}')
        if animator_checkpoint is not None:
            animator_hash = checkpoint_hash(animator_checkpoint)
        cache = CodeCache(codes_dir, animator_hash)
        self.num_frames = num_frames
        self.motion_dim = cache.motion_dim
        self.animator_hash = cache.animator_hash
        self.metainfo = dict(dataset=type(self).__name__, data_root=str(codes_dir))
        self._offsets = {video.name: video.offset for video in cache.videos}
        wanted = VideoFilter.from_config(filters, min_frames=min_frames or num_frames)
        self.videos, self.skipped = _usable(coded_videos(cache, wanted, data_root), wanted, cache)
        self.fps = single_rate(self.videos, cache.folder)
        _check_finite(cache, self.spans, [video.name for video in self.videos])
        starts = [window_starts([span], min(num_frames, span[1]), stride) for span in self.spans]
        self._starts = np.concatenate(starts)
        # index into ``videos`` of every window
        self._owners = np.repeat(np.arange(len(starts)), [len(part) for part in starts])
        self._padded = min_frames is not None
        self._lengths = np.minimum(num_frames, [span[1] for span in self.spans])[self._owners]
        self._codes = torch.from_numpy(np.array(cache.codes))
        self._control = None
        if controls is not None:
            self._control = torch.from_numpy(_control_rows(load_controls(controls), cache, self.videos))
        self.to(device or 'cpu')

    @property
    def num_bytes(self) -> int:
        """int: Memory of the codes and their control."""
        return self._codes.nbytes + (0 if self._control is None else self._control.nbytes)

    def to(self, device: torch.device | str) -> None:
        """Move the codes and their control to a device."""
        self._codes = self._codes.to(device)
        self._control = None if self._control is None else self._control.to(device)
        self._steps = torch.arange(self.num_frames, device=self._codes.device)
        self._device_starts = torch.from_numpy(self._starts).to(self._codes.device)
        self._device_lengths = torch.from_numpy(self._lengths).to(self._codes.device)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """list[tuple[int, int]]: First row and number of rows in use, per video."""
        return [(self._offsets[video.name] + video.first, video.length) for video in self.videos]

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of the codes in use; see :func:`~leokit.datasets.code_cache.code_statistics`.

        Windows of one frame have no residuals: ``residual_std`` is then the ``std`` of the codes. If every video is
        shorter than T, residuals are those of windows of the longest one.
        """
        codes, longest = self._codes.cpu().numpy(), max(length for _, length in self.spans)
        if min(self.num_frames, longest) == 1:
            statistics = code_statistics(codes, self.spans)
            return dict(statistics, residual_std=statistics['std'])
        return code_statistics(codes, self.spans, min(self.num_frames, longest))

    def control_statistics(self) -> dict[str, np.ndarray] | None:
        """``mean`` and ``std`` of each channel of the control in use, shape (C,); None without control."""
        if self._control is None:
            return None
        rows = np.concatenate([self._control[first:first + length].cpu() for first, length in self.spans])
        return dict(mean=rows.mean(axis=0, dtype=np.float64), std=rows.std(axis=0, dtype=np.float64))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int | SampleKey) -> dict[str, dict[str, Any]]:
        """Load one item."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int | SampleKey]) -> list[dict[str, dict[str, Any]]]:
        """Load the items of a batch at once, as views into one gathered tensor."""
        windows = np.array([index.index if isinstance(index, SampleKey) else index for index in indices],
                           dtype=np.int64)
        inputs = self.gather(torch.from_numpy(windows).to(self._codes.device))
        rows = [dict(zip(inputs, row)) for row in zip(*inputs.values())]
        return [dict(inputs=row, data_samples=label) for row, label in zip(rows, self.labels(windows))]

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """The ``inputs`` of a batch.

        Args:
            indices (Tensor): Indices of windows, int64, shape (B,), on the device of the codes.

        Returns:
            dict: ``motion``, shape (B, T, N); ``mask`` and ``control`` if the dataset has them.
        """
        steps, inputs = self._steps, {}
        if self._padded:
            lengths = self._device_lengths[indices][:, None]  # (B, 1)
            inputs['mask'] = steps < lengths
            steps = steps.minimum(lengths - 1)
        rows = self._device_starts[indices][:, None] + steps  # (B, T)
        if self._control is not None:
            inputs['control'] = self._control[rows]
        return dict(motion=self._codes[rows], **inputs)

    def labels(self, indices: np.ndarray) -> list[dict[str, Any]]:
        """The ``data_samples`` of windows, one dict each."""
        names = [self.videos[owner].name for owner in self._owners[indices]]
        return [dict(name=name, start=int(start) - self._offsets[name])
                for name, start in zip(names, self._starts[indices])]


def single_rate(videos: Sequence[VideoEntry], folder: Path) -> float | None:
    """The frame rate of all videos, None if it is unknown; a :class:`UserError` if there are several."""
    groups = group_rates(video.fps for video in videos)
    if len(groups) > 1:
        raise UserError(f'the motion codes in {folder} have several frame rates ({format_rates(groups)} frames per '
                        'second), under which one motion has several speeds; delete the folder and run `leokit '
                        'extract` again, which resamples the videos to one rate')
    return next(iter(groups), None)


def coded_videos(cache: CodeCache, wanted: VideoFilter, data_root: str | Path | None = None) -> list[VideoEntry]:
    """The videos of a code cache that a filter selects, in the order of the cache.

    Args:
        cache (CodeCache): The cache.
        wanted (VideoFilter): The filter; lengths are not considered.
        data_root (str | Path, optional): Where the labels come from; see :class:`MotionCodeDataset`.
    """
    coded = [VideoEntry(name=video.name, path=cache.folder, identity=video.identity, split=video.split,
                        frames=video.length, fps=video.fps) for video in cache.videos]
    if data_root is None or not Path(data_root).exists():
        if data_root is not None:
            print_log(f'{data_root} does not exist; identities and splits are those of {cache.folder}',
                      logger='current')
        return select_videos(coded, wanted, cache.folder)
    # the filter sees all videos of the source, so that every stage divides the same identities
    labels = {video.name: video for video in select_videos(find_videos(data_root), wanted, data_root)}
    whole = {video.name: video.video for video in cache.videos}  # stretches of a damaged video have its labels
    known = set(whole.values())
    not_encoded = {str(skipped.file) for skipped in cache.skipped}
    absent = [name for name, video in labels.items() if name not in known and str(video.path) not in not_encoded]
    if absent:
        warn_listed(f'videos of {data_root} without codes in {cache.folder}, {len(absent)} in all; `leokit extract` '
                    'adds them', absent)
    kept = [replace(video, identity=label.identity, split=label.split, category=label.category)
            for video in coded if (label := labels.get(whole[video.name])) is not None]
    if not kept:
        raise UserError(f'{cache.folder} has the codes of none of the {len(labels)} videos that the filter leaves of '
                        f'{data_root}; extract them with `leokit extract`, or delete that folder if it belongs to '
                        'other videos')
    return kept


def _check_finite(cache: CodeCache, spans: list[tuple[int, int]], names: Sequence[str]) -> None:
    """Raise a :class:`UserError` for codes that are not finite, which one step of training would spread to all."""
    for (first, length), name in zip(spans, names):
        if not np.isfinite(cache.codes[first:first + length]).all():
            raise UserError(f'the codes of {name} in {cache.folder} are not finite; delete the folder and extract the '
                            'codes with a checkpoint from before the training of the animator diverged')


def _control_rows(controls: Controls, cache: CodeCache, videos: Sequence[VideoEntry]) -> np.ndarray:
    """The control of every code of a cache, shape (total, C); 0 for videos that are not in use."""
    used = {video.name for video in videos}
    rows = np.zeros((len(cache.codes), len(controls.channels)), np.float32)
    for video in cache.videos:
        if video.name in used:
            rows[video.offset:video.offset + video.length] = controls.of(
                video.video, video.video_length, video.fps or None)[video.first:video.first + video.length]
    return rows


def _usable(entries: list[VideoEntry], wanted: VideoFilter, cache: CodeCache) -> tuple[list[VideoEntry], list[Skipped]]:
    """The videos that are long enough, with the part in use, and the others."""
    kept, skipped, folder = [], [], cache.folder
    coded = {video.name: video for video in cache.videos}
    for entry in entries:
        first, last = coded[entry.name].bounds(wanted.bounds)
        if last - first < wanted.min_frames:
            skipped.append(Skipped(entry.name, f'{last - first} codes in use, {wanted.min_frames} needed'))
        else:
            kept.append(replace(entry, first=first, last=last))
    warn_skipped(skipped, folder)
    if not kept:
        raise UserError(f'none of the {len(entries)} videos in {folder} has {wanted.min_frames} codes in use; '
                        'lower num_frames, pad shorter videos by min_frames of the dataset, or encode longer ones')
    return kept, skipped
