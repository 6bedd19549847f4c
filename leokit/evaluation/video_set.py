"""A set of videos to be measured: what is usable, what is not and why, and a hash of the contents."""

import dataclasses
import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process

from leokit.evaluation.clip_sampling import available_frames
from leokit.evaluation.protocol import Protocol
from leokit.evaluation.records import SetInfo
from leokit.feature_extractors.weights import file_sha256
from leokit.utils import UserError, progress_bar
from leokit.video import IMAGE_SUFFIXES, Skipped, VideoEntry, VideoFilter, find_videos
from leokit.video.readers import AutoReader, VideoReader, frame_files
from leokit.video.readers.array_reader import is_array, open_array, split_item
from leokit.video.readers.base import DEFAULT_FPS
from leokit.video.video_filter import select_videos
from leokit.video.video_list import split_arrays


class VideoItem(NamedTuple):
    """A usable video, or the part of one that is used."""

    name: str
    path: Path
    first: int  # first frame in use
    frames: int  # number of frames in use
    fps: float
    height: int
    width: int
    sha256: str  # of the file, or of the pictures' names and contents


class ReadOptions(NamedTuple):
    """How files without a rate or a range are read, and how many threads read."""

    fps: float | None = None  # of frame folders and arrays; None is 25, and refuses protocols that resample
    float_range: str | None = None
    workers: int = 2


@dataclass
class VideoSet:
    """The videos of a folder or manifest.

    Attributes:
        source (str): Folder or manifest, as given.
        filters (VideoFilter): What was taken of it.
        entries (list[VideoItem]): Usable videos, in order of their names.
        skipped (list[Skipped]): The others.
        reader (VideoReader): Opens them.
        manifest_hash (str): SHA-256 over names, contents and frames in use of the usable videos.
    """

    source: str
    filters: VideoFilter
    entries: list[VideoItem]
    skipped: list[Skipped]
    reader: VideoReader = field(default_factory=AutoReader)
    manifest_hash: str = field(init=False)

    def __post_init__(self) -> None:
        lines = ''.join(f'{entry.name}\t{entry.sha256}\t{entry.first}+{entry.frames}\n' for entry in self.entries)
        self.manifest_hash = hashlib.sha256(lines.encode()).hexdigest()

    def info(self, clips: int) -> SetInfo:
        """For the record of a score; ``clips`` is the number of clips of a trial."""
        taken = {key: value for key, value in dataclasses.asdict(self.filters).items()
                 if value != getattr(VideoFilter(), key)}
        return SetInfo(self.source, self.filters.split, len(self.entries), clips, len(self.skipped),
                       self.manifest_hash, taken)

    def windows(self, protocol: Protocol) -> list[int]:
        """For every video, how many places a clip can start at."""
        return [available_frames(protocol.clips, entry.frames, entry.fps) - protocol.clips.span + 1
                for entry in self.entries]

    def warnings(self, protocol: Protocol) -> list[str]:
        """Sentences on what a reader of a score of this set should know."""
        sentences = []
        if self.skipped:
            names = ', '.join(Path(item.file).name for item in self.skipped[:3])
            more = ', ...' if len(self.skipped) > 3 else ''
            sentences.append(f'{len(self.skipped)} of {len(self.skipped) + len(self.entries)} videos in {self.source} '
                             f'were left out ({names}{more})')
        tall = sum(entry.height > entry.width for entry in self.entries)
        wide = sum(entry.width > entry.height for entry in self.entries)
        if tall and wide:
            treated = 'cut to squares' if protocol.frames.aspect == 'center_crop' else 'squeezed to squares'
            sentences.append(f'{self.source} mixes {tall} portrait and {wide} landscape videos; all are {treated}')
        side = protocol.frames.resolution
        small = sum(min(entry.height, entry.width) < side for entry in self.entries) if side else 0
        if small:
            sentences.append(f'{small} videos in {self.source} are smaller than {side} pixels and are enlarged')
        copies = len(self.entries) - len({entry.sha256 for entry in self.entries})
        if copies:
            sentences.append(f'{copies} videos in {self.source} are byte for byte copies of others')
        return sentences


def scan_videos(source: str | Path, protocol: Protocol, *, filters: VideoFilter | None = None,
                use_protocol_split: bool = False, options: ReadOptions = ReadOptions()) -> VideoSet:
    """Open every video once, decode its first frame and hash its contents; the work is shared by all processes.

    Args:
        source (str | Path): A folder or a manifest.
        protocol (Protocol): Says how many frames are needed and which shapes are taken.
        filters (VideoFilter, optional): Which videos, and which part of each; all by default.
        use_protocol_split (bool): Take the protocol's split where the filter names none and the source has it.
        options (ReadOptions): How files are read.

    Returns:
        VideoSet: The same on every process.

    Raises:
        UserError: If nothing is usable.
    """
    listed, filters = list_videos(
        source, filters, preferred_split=protocol.sampling.split if use_protocol_split else None)
    rank, world_size = get_rank(), get_world_size()
    share = listed[rank::world_size]
    reader = AutoReader(fps=options.fps or DEFAULT_FPS, float_range=options.float_range)
    label = f'checking {Path(source).name}'
    with ThreadPoolExecutor(options.workers, thread_name_prefix='check') as pool, \
            progress_bar(len(share), label, unit='video', show=is_main_process()) as bar:
        checked = []
        for result in pool.map(lambda video: _check(video, filters, protocol, reader, options.fps), share):
            checked.append(result)
            bar.update(1)
    results = [item for part in all_gather_object(checked) for item in part]
    entries = sorted((item for item in results if isinstance(item, VideoItem)), key=lambda item: item.name)
    skipped = sorted(item for item in results if isinstance(item, Skipped))
    if not entries:
        raise UserError(f'none of the {len(skipped)} videos in {source} can be used; {skipped[0]}')
    _check_sizes(entries, protocol, str(source))
    return VideoSet(str(source), filters, entries, skipped, reader)


def list_videos(source: str | Path, filters: VideoFilter | None = None, *,
                preferred_split: str | None = None) -> tuple[list[VideoEntry], VideoFilter]:
    """List the videos of a folder, a manifest or an array file, selected as for training.

    Args:
        source (str | Path): See :func:`~leokit.video.video_list.find_videos`; images that a manifest names are not
            videos.
        filters (VideoFilter, optional): Which videos, and which part of each; all by default.
        preferred_split (str, optional): Split to take where the filter names none and the source has it.

    Returns:
        tuple: The videos, at least one, sorted by name; and the filter that was applied.
    """
    filters = filters or VideoFilter()
    entries = [entry for entry in find_videos(source) if entry.path.suffix.lower() not in IMAGE_SUFFIXES]
    if not entries:
        raise UserError(f'there are no videos in {source}, only images')
    if filters.split is None and preferred_split in {entry.split for entry in entries}:
        filters = dataclasses.replace(filters, split=preferred_split)
    selected = select_videos(entries, filters, source)
    return sorted(split_arrays(selected), key=lambda entry: entry.name), filters


def _check(video: VideoEntry, filters: VideoFilter, protocol: Protocol, reader: VideoReader,
           fps_given: float | None) -> VideoItem | Skipped:
    try:
        with reader.open(video.path) as handle:
            height, width = handle.read([0]).shape[1:3]
            first, last = filters.bounds(len(handle))
            frames, fps = last - first, float(handle.fps)
    except UserError as error:
        return Skipped(str(video.path), str(error))
    rule = protocol.clips
    rateless = video.path.is_dir() or is_array(video.path)
    if rule.fps is not None and rateless and fps_given is None:
        return Skipped(str(video.path), f'the protocol resamples to {rule.fps:g} frames per second, but frame folders '
                                        'and arrays tell no rate; state it with --fps')
    available = available_frames(rule, frames, fps) if frames else 0
    if available < rule.span:
        return Skipped(str(video.path), f'it has {available} frames, and a clip of {rule.length} frames at stride '
                                        f'{rule.stride} needs {rule.span}')
    if protocol.frames.aspect == 'square_only' and height != width:
        return Skipped(str(video.path), f'it is {width}x{height}, and the protocol takes square videos only')
    return VideoItem(video.name, video.path, first, frames, fps, height, width, _content_hash(video.path))


def _content_hash(path: Path) -> str:
    file, item = split_item(path)
    if item is not None:
        return hashlib.sha256(np.ascontiguousarray(open_array(file)[item])).hexdigest()
    if not file.is_dir():
        return file_sha256(file)
    lines = ''.join(f'{name}\t{file_sha256(file / name)}\n' for name in frame_files(file))
    return hashlib.sha256(lines.encode()).hexdigest()


def _check_sizes(entries: list[VideoItem], protocol: Protocol, source: str) -> None:
    """Without a resolution all videos must come out at one size."""
    if protocol.frames.resolution is not None:
        return
    square = protocol.frames.aspect == 'center_crop'
    sizes = Counter((min(entry.height, entry.width),) * 2 if square else (entry.height, entry.width)
                    for entry in entries)
    if len(sizes) > 1:
        found = ', '.join(f'{width}x{height}' for height, width in sorted(sizes))
        raise UserError(f'{source} holds videos of several sizes ({found}) and the protocol {protocol.name} sets '
                        'none; set one with --protocol-options frames.resolution=256')
