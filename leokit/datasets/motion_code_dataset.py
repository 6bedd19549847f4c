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

    Args:
        codes_dir (str | Path): A code cache.
        num_frames (int): Window length T.
        stride (int): Distance of consecutive windows of a video.
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

    def __init__(self, codes_dir: str | Path, num_frames: int, *, stride: int = 1,
                 data_root: str | Path | None = None, animator_hash: str | None = None,
                 animator_checkpoint: str | Path | None = None, filters: dict | None = None,
                 device: str | None = None) -> None:
        if num_frames < 1 or stride < 1:
            raise UserError(f'num_frames and stride must be at least 1, got {num_frames} and {stride}')
        if animator_checkpoint is not None:
            animator_hash = checkpoint_hash(animator_checkpoint)
        cache = CodeCache(codes_dir, animator_hash)
        self.num_frames = num_frames
        self.motion_dim = cache.motion_dim
        self.animator_hash = cache.animator_hash
        self.metainfo = dict(dataset=type(self).__name__, data_root=str(codes_dir))
        self._offsets = {video.name: video.offset for video in cache.videos}
        wanted = VideoFilter.from_config(filters, min_frames=num_frames)
        self.videos, self.skipped = _usable(coded_videos(cache, wanted, data_root), wanted, cache.folder)
        self.fps = single_rate(self.videos, cache.folder)
        starts = [window_starts([span], num_frames, stride) for span in self.spans]
        self._starts = np.concatenate(starts)
        # index into ``videos`` of every window
        self._owners = np.repeat(np.arange(len(starts)), [len(part) for part in starts])
        self._codes = torch.from_numpy(np.array(cache.codes)).to(device or 'cpu')
        self._steps = torch.arange(num_frames, device=self._codes.device)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """list[tuple[int, int]]: First row and number of rows in use, per video."""
        return [(self._offsets[video.name] + video.first, video.length) for video in self.videos]

    def statistics(self) -> dict[str, np.ndarray]:
        """Statistics of the codes in use; see :func:`~leokit.datasets.code_cache.code_statistics`.

        Windows of one frame have no residuals: ``residual_std`` is then the ``std`` of the codes.
        """
        codes = self._codes.cpu().numpy()
        if self.num_frames == 1:
            statistics = code_statistics(codes, self.spans)
            return dict(statistics, residual_std=statistics['std'])
        return code_statistics(codes, self.spans, self.num_frames)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int | SampleKey) -> dict[str, dict[str, Any]]:
        """Load one item."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int | SampleKey]) -> list[dict[str, dict[str, Any]]]:
        """Load the items of a batch at once, as views into one gathered tensor."""
        windows = np.array([index.index if isinstance(index, SampleKey) else index for index in indices],
                           dtype=np.int64)
        starts = self._starts[windows]
        motion = self._gather(starts)  # (B, T, N)
        items = []
        for row, (start, owner) in enumerate(zip(starts, self._owners[windows])):
            name = self.videos[owner].name
            items.append(dict(inputs=dict(motion=motion[row]),
                              data_samples=dict(name=name, start=int(start) - self._offsets[name])))
        return items

    def _gather(self, starts: np.ndarray) -> Tensor:
        rows = torch.from_numpy(starts).to(self._codes.device)[:, None] + self._steps  # (B, T)
        return self._codes[rows]


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
    known = {video.name for video in coded}
    not_encoded = {str(skipped.file) for skipped in cache.skipped}
    absent = [name for name, video in labels.items() if name not in known and str(video.path) not in not_encoded]
    if absent:
        warn_listed(f'videos of {data_root} without codes in {cache.folder}, {len(absent)} in all; `leokit extract` '
                    'adds them', absent)
    kept = [replace(video, identity=labels[video.name].identity, split=labels[video.name].split,
                    category=labels[video.name].category) for video in coded if video.name in labels]
    if not kept:
        raise UserError(f'{cache.folder} has the codes of none of the {len(labels)} videos that the filter leaves of '
                        f'{data_root}; extract them with `leokit extract`, or delete that folder if it belongs to '
                        'other videos')
    return kept


def _usable(entries: list[VideoEntry], wanted: VideoFilter, folder: Path) -> tuple[list[VideoEntry], list[Skipped]]:
    """The videos that are long enough, with the part in use, and the others."""
    kept, skipped = [], []
    for entry in entries:
        first, last = wanted.bounds(entry.frames)
        if last - first < wanted.min_frames:
            skipped.append(Skipped(entry.name, f'{last - first} codes in use, {wanted.min_frames} needed'))
        else:
            kept.append(replace(entry, first=first, last=last))
    warn_skipped(skipped, folder)
    if not kept:
        raise UserError(f'none of the {len(entries)} videos in {folder} has {wanted.min_frames} codes in use; '
                        'lower num_frames or encode longer videos')
    return kept, skipped
