"""The videos of a dataset: listed, selected and probed.

No video is left out silently: each one that cannot be read or is too short is named with the reason.
"""

from dataclasses import replace
from pathlib import Path
from typing import Iterator

from leokit.utils import UserError
from leokit.video.frame_rate import RATE_TOLERANCE, is_same_rate
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.readers.array_reader import is_array
from leokit.video.video_entry import Skipped, VideoEntry, warn_listed, warn_skipped
from leokit.video.video_filter import VideoFilter, select_videos
from leokit.video.video_list import find_videos
from leokit.video.video_probe import Probe, probe_cache_file, probe_videos


class VideoIndex:
    """The videos that a filter selects from a folder or a manifest.

    If the filter names a split and the videos have none, identities are divided by their names: about 90 % train, 5 %
    val, 5 % test.

    Args:
        root (str | Path): A folder, a manifest, or a video file; see :func:`~leokit.video.video_list.find_videos`.
        filter (VideoFilter, optional): Default: all videos.
        manifest (str | Path, optional): See :func:`~leokit.video.video_list.find_videos`.
        reader (VideoReader, optional): Opens the videos; ``AutoReader()`` by default.
        cache_probes (bool): Keep probe results in the cache folder, so that unchanged videos are not opened again.

    Attributes:
        videos (list[VideoEntry]): The selected videos, at least one, sorted by name or in the order of the manifest.
        skipped (list[Skipped]): Selected videos that cannot be used.
    """

    def __init__(self, root: str | Path, filter: VideoFilter | None = None, *, manifest: str | Path | None = 'auto',
                 reader: VideoReader | None = None, cache_probes: bool = True) -> None:
        if root == '':  # as a path, the current folder
            raise UserError("the folder of videos is ''; name a folder or a manifest ('.' is the current folder)")
        self.root = Path(root)
        self.filter = filter or VideoFilter()
        reader = reader or AutoReader()
        found = find_videos(self.root, manifest)
        selected = select_videos(found, self.filter, self.root)  # before probing, so that no other video is opened
        probes = probe_videos([entry.path for entry in selected], reader,
                              cache=probe_cache_file(self.root, reader) if cache_probes else None)
        self.videos: list[VideoEntry] = []
        self.skipped: list[Skipped] = []
        self._keep_usable(selected, probes)
        warn_skipped(self.skipped, self.root)
        if not self.videos:
            raise UserError(f'none of the {len(selected)} videos of {self.root} can be used; the first problem: '
                            f'{self.skipped[0]}')

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[VideoEntry]:
        return iter(self.videos)

    def _keep_usable(self, selected: list[VideoEntry], probes: list[Probe | str]) -> None:
        """Divide the probed videos into ``videos`` and ``skipped``."""
        changed, other_rates = [], []
        for entry, probe in zip(selected, probes):
            if isinstance(probe, str):
                self.skipped.append(Skipped(str(entry.path), probe))
                continue
            if entry.frames not in (0, probe.frames):
                changed.append(f'{entry.path} ({probe.frames} instead of {entry.frames})')
            stores_rate = not (entry.path.is_dir() or is_array(entry.path))
            # readers take the exact rate of the file where a manifest states it rounded
            same_rate = not entry.fps or stores_rate and is_same_rate(entry.fps, probe.fps, RATE_TOLERANCE)
            if stores_rate and not same_rate:
                other_rates.append(f'{entry.path} ({probe.fps:.4g} instead of {entry.fps:.4g})')
            first, last = self.filter.bounds(probe.frames)
            if last - first < self.filter.min_frames:
                self.skipped.append(Skipped(
                    str(entry.path), f'{last - first} frames in use, {self.filter.min_frames} needed'))
                continue
            fps = probe.fps if same_rate else entry.fps
            self.videos.append(replace(entry, frames=probe.frames, fps=fps, first=first, last=last))
        if other_rates:
            warn_listed(f'videos of {self.root} with another frame rate than in the manifest, {len(other_rates)} in '
                        'all; that of the manifest is used', other_rates)
        if changed:
            warn_listed(f'videos of {self.root} with another number of frames than in the manifest, {len(changed)} in '
                        'all', changed)
