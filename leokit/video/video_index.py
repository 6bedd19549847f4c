"""The videos of a data set: found in a folder or named by a manifest, probed, selected.

Nothing is left out silently: what cannot be read or is too short is named with its reason, counted and skipped.
"""

import logging
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Sequence

from mmengine.logging import print_log

from leokit.utils import UserError
from leokit.video.manifest import find_manifest, read_manifest
from leokit.video.readers import AutoReader, VideoReader, frame_files
from leokit.video.video_entry import Skipped, VideoEntry, VideoFilter
from leokit.video.video_filter import select_videos
from leokit.video.video_probe import Probe, probe_cache_file, probe_videos

VIDEO_SUFFIXES = frozenset({
    '.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.mpeg', '.ts', '.flv', '.wmv', '.gif', '.npy'})
# First-level folders of these names are splits.
SPLIT_FOLDERS = {'train': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
MAX_NAMED = 20  # skipped videos that a warning lists by name


class VideoIndex:
    """The videos that a filter selects from a folder or a manifest.

    A folder with a ``manifest.json`` (``.jsonl``, ``.csv``) is read through it. Any other folder is searched
    recursively: every video file is a video, and so is every folder of pictures. There each video is its own
    identity, and first-level folders named train, val or test are the splits.

    If a split is asked for and nothing tells splits, identities are divided: 90 % train, 5 % val, 5 % test.

    Args:
        root (str | Path): A folder, a manifest file, or a single video file.
        filter (VideoFilter): What to select.
        manifest (str | Path, optional): ``'auto'`` looks for one in the folder; a path names it; None ignores what
            lies there.
        reader (VideoReader, optional): How to open videos; ``AutoReader()`` by default.
        remember (bool): Keep what probing finds in the cache folder, so that unchanged videos are not opened again.

    Attributes:
        videos (list[VideoEntry]): The selected videos, sorted by name, or in the order of the manifest.
        skipped (list[Skipped]): Selected videos that cannot be used, with reasons.

    Raises:
        UserError: If the folder or manifest is missing or broken, the filter names what does not exist, or no video
            remains.
    """

    def __init__(self, root: str | Path, filter: VideoFilter | None = None, *, manifest: str | Path | None = 'auto',
                 reader: VideoReader | None = None, remember: bool = True) -> None:
        self.root = Path(root)
        self.filter = filter or VideoFilter()
        reader = reader or AutoReader()
        selected = select_videos(self._find(manifest), self.filter, self.root)
        probes = probe_videos([entry.path for entry in selected], reader,
                              cache=probe_cache_file(self.root, reader) if remember else None)
        self.videos: list[VideoEntry] = []
        self.skipped: list[Skipped] = []
        self._use(selected, probes)
        warn_skipped(self.skipped, self.root)
        if not self.videos:
            raise UserError(f'none of the {len(selected)} videos of {self.root} can be used; the first problem: '
                            f'{self.skipped[0]}')

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[VideoEntry]:
        return iter(self.videos)

    def _use(self, selected: list[VideoEntry], probes: list[Probe | str]) -> None:
        """Sort the probed videos into ``videos`` and ``skipped``."""
        changed = []
        for entry, probe in zip(selected, probes):
            if isinstance(probe, str):
                self.skipped.append(Skipped(str(entry.path), probe))
                continue
            if entry.frames not in (0, probe.frames):
                changed.append(f'{entry.path} ({probe.frames} instead of {entry.frames})')
            first, last = self.filter.bounds(probe.frames)
            if last - first < self.filter.min_frames:
                self.skipped.append(Skipped(
                    str(entry.path), f'{last - first} frames in use, {self.filter.min_frames} needed'))
                continue
            self.videos.append(replace(entry, frames=probe.frames, fps=entry.fps or probe.fps, first=first, last=last))
        if changed:
            _warn(f'videos of {self.root} with another number of frames than the manifest says, {len(changed)} in all',
                  changed)

    def _find(self, manifest: str | Path | None) -> list[VideoEntry]:
        if not self.root.exists():
            raise UserError(f'the data folder {self.root} does not exist; check the path (in a config: data_root)')
        if self.root.suffix.lower() in VIDEO_SUFFIXES and self.root.is_file():
            return [VideoEntry(name=self.root.stem, path=self.root, identity=self.root.stem)]
        if self.root.is_file():
            return read_manifest(self.root)
        if manifest == 'auto':
            manifest = find_manifest(self.root)
        entries = read_manifest(manifest) if manifest is not None else scan_folder(self.root)
        if not entries:
            raise UserError(f'{self.root} holds no videos and no folders of pictures; pass the folder that does')
        return entries


def scan_folder(root: str | Path) -> list[VideoEntry]:
    """Find all videos and frame folders below a folder; they are not opened.

    Hidden files and folders, and what leokit itself was writing when it was killed (``clip.part.mp4``), are passed
    over; links are followed.

    Args:
        root (str | Path): The folder.

    Returns:
        list[VideoEntry]: Sorted by name. The name is the path below ``root`` without the ending, unless two videos
        differ by the ending alone.
    """
    root = Path(root)
    paths, seen = [], set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a circle of links
            subfolders.clear()
            continue
        seen.add(place)
        subfolders[:] = sorted(name for name in subfolders if not (name.startswith('.') or name.endswith('.part')))
        videos = [Path(folder, name) for name in files
                  if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith('.')
                  and not Path(name).stem.endswith('.part')]
        paths += videos
        if not videos and frame_files(folder):
            paths.append(Path(folder))
    stems = Counter(_stem(path, root) for path in paths)
    entries = []
    for path in paths:
        stem = _stem(path, root)
        name = stem if stems[stem] == 1 else path.relative_to(root).as_posix()
        split = SPLIT_FOLDERS.get(path.relative_to(root).parts[0].lower()) if path != root else None
        entries.append(VideoEntry(name=name, path=path, identity=name, split=split))
    return sorted(entries, key=lambda entry: entry.name)


def warn_skipped(skipped: Sequence[Skipped], root: str | Path) -> None:
    """Name and count the videos that were left out, in one warning.

    Args:
        skipped (Sequence[Skipped]): The videos; nothing is said if there are none.
        root (str | Path): What they belong to.
    """
    if skipped:
        _warn(f'skipped videos of {root}, {len(skipped)} in all', [str(video) for video in skipped])


def _warn(headline: str, lines: Sequence[str]) -> None:
    named = list(lines[:MAX_NAMED])
    if len(lines) > MAX_NAMED:
        named.append(f'... and {len(lines) - MAX_NAMED} more')
    print_log('\n  '.join([f'{headline}:', *named]), logger='current', level=logging.WARNING)


def _stem(path: Path, root: Path) -> str:
    if path == root:
        return path.resolve().name
    below = path.relative_to(root)
    return (below if path.suffix.lower() not in VIDEO_SUFFIXES else below.with_suffix('')).as_posix()
