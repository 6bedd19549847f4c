"""Sets of videos to be evaluated: the usable videos, the skipped ones with a reason, and a hash of the contents."""

import dataclasses
import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmengine.dist import all_gather_object, get_rank, get_world_size, is_main_process

from leokit.evaluation.protocol import ClipRule, Protocol
from leokit.evaluation.records import SetInfo
from leokit.utils import UserError, progress_bar
from leokit.utils.thread_map import thread_map
from leokit.video import IMAGE_SUFFIXES, Skipped, VideoEntry, VideoFilter, find_videos
from leokit.video.content_hash import content_hash
from leokit.video.readers import AutoReader, VideoReader
from leokit.video.readers.array_reader import is_array
from leokit.video.readers.base import DEFAULT_FPS
from leokit.video.video_filter import select_videos
from leokit.video.video_list import is_video_file, split_arrays


class VideoItem(NamedTuple):
    """A usable video, or the part of it that is used."""

    name: str
    path: Path
    first: int  # first frame in use
    frames: int  # number of frames in use
    fps: float
    height: int
    width: int
    sha256: str  # of the file, or of the names and contents of its images

    def num_windows(self, rule: ClipRule) -> int:
        """Number of frames at which a clip can start."""
        return rule.available_frames(self.frames, self.fps) - rule.span + 1

    def frame_numbers(self, rule: ClipRule, start: int) -> np.ndarray:
        """Numbers in the file of the frames of the clip that starts at ``start``, int64, shape (length,)."""
        return self.first + rule.frame_numbers(start, self.frames, self.fps)


class ReadOptions(NamedTuple):
    """How to read files that define no frame rate or value range, and the number of reading threads."""

    fps: float | None = None  # of frame folders and arrays; None is 25, but refuses protocols that resample
    float_range: str | None = None
    workers: int = 2


@dataclass
class VideoSet:
    """The videos of a folder or manifest.

    Attributes:
        source (str): The folder or manifest.
        filters (VideoFilter): The applied filter.
        entries (list[VideoItem]): The usable videos, sorted by name.
        skipped (list[Skipped]): The other videos.
        reader (VideoReader): Opens the videos.
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
        """The set as a result record describes it; ``clips`` is the number of clips of a trial."""
        filters = {key: value for key, value in dataclasses.asdict(self.filters).items()
                   if value != getattr(VideoFilter(), key)}
        return SetInfo(self.source, self.filters.split, len(self.entries), clips, len(self.skipped),
                       self.manifest_hash, filters)

    def num_windows(self, protocol: Protocol) -> list[int]:
        """For every video, the number of frames at which a clip can start."""
        return [entry.num_windows(protocol.clips) for entry in self.entries]

    def sizes(self, protocol: Protocol) -> Counter[tuple[int, int]]:
        """Heights and widths of the videos after the protocol's crop."""
        if protocol.frames.aspect == 'center_crop':
            return Counter((min(entry.height, entry.width),) * 2 for entry in self.entries)
        return Counter((entry.height, entry.width) for entry in self.entries)

    def warnings(self, protocol: Protocol) -> list[str]:
        """Sentences for the readers of a score of this set."""
        sentences = []
        if self.skipped:
            names = ', '.join(Path(item.file).name for item in self.skipped[:3])
            more = ', ...' if len(self.skipped) > 3 else ''
            sentences.append(f'{len(self.skipped)} of {len(self.skipped) + len(self.entries)} videos in {self.source} '
                             f'were left out ({names}{more})')
        portrait = sum(entry.height > entry.width for entry in self.entries)
        landscape = sum(entry.width > entry.height for entry in self.entries)
        if portrait and landscape:
            treatment = 'cropped' if protocol.frames.aspect == 'center_crop' else 'stretched'
            sentences.append(f'{self.source} mixes {portrait} portrait and {landscape} landscape videos; all are '
                             f'{treatment} to squares')
        resolution = protocol.frames.resolution
        small = sum(min(entry.height, entry.width) < resolution for entry in self.entries) if resolution else 0
        if small:
            sentences.append(f'{small} videos in {self.source} are smaller than {resolution} pixels and are upsampled')
        copies = len(self.entries) - len({entry.sha256 for entry in self.entries})
        if copies:
            sentences.append(f'{copies} videos in {self.source} are byte-for-byte copies of others')
        return sentences


def scan_videos(source: str | Path, protocol: Protocol, *, filters: VideoFilter | None = None,
                use_protocol_split: bool = False, options: ReadOptions = ReadOptions()) -> VideoSet:
    """Open every video once, decode its first frame and hash its contents; processes share the work.

    Args:
        source (str | Path): A folder or a manifest.
        protocol (Protocol): Defines how many frames a video needs and which shapes are allowed.
        filters (VideoFilter, optional): Which videos, and which part of each; default: everything.
        use_protocol_split (bool): Use the protocol's split if the filter names none and the source has that split.
        options (ReadOptions): How to read files.

    Returns:
        VideoSet: The same on every process.
    """
    listed, filters = list_videos(
        source, filters, preferred_split=protocol.sampling.split if use_protocol_split else None)
    share = listed[get_rank()::get_world_size()]
    reader = AutoReader(fps=options.fps or DEFAULT_FPS, float_range=options.float_range)
    checked = []
    with progress_bar(len(share), f'checking {Path(source).name}', unit='video', show=is_main_process()) as bar:
        for result in thread_map(lambda video: _check(video, filters, protocol, reader, options.fps), share,
                                 options.workers):
            checked.append(result)
            bar.update(1)
    results = [item for part in all_gather_object(checked) for item in part]
    entries = sorted((item for item in results if isinstance(item, VideoItem)), key=lambda item: item.name)
    skipped = sorted(item for item in results if isinstance(item, Skipped))
    if not entries:
        raise UserError(f'none of the {len(skipped)} videos in {source} can be used; {skipped[0]}')
    videos = VideoSet(str(source), filters, entries, skipped, reader)
    sizes = videos.sizes(protocol)
    if protocol.frames.resolution is None and len(sizes) > 1:
        listing = ', '.join(f'{width}x{height}' for height, width in sorted(sizes))
        raise UserError(f'{source} has videos of several sizes ({listing}) and the protocol {protocol.name} defines '
                        'none; set one with --protocol-options frames.resolution=256')
    return videos


def list_videos(source: str | Path, filters: VideoFilter | None = None, *,
                preferred_split: str | None = None) -> tuple[list[VideoEntry], VideoFilter]:
    """List the videos of a folder, a manifest or an array file, filtered as for training.

    Args:
        source (str | Path): See :func:`~leokit.video.video_list.find_videos`; images that a manifest names are ignored.
        filters (VideoFilter, optional): Which videos, and which part of each; default: everything.
        preferred_split (str, optional): Split to use if the filter names none and the source has it.

    Returns:
        tuple: The videos, at least one, sorted by name; and the filter that was applied.
    """
    filters = filters or VideoFilter()
    entries = [entry for entry in find_videos(source)
               if entry.path.suffix.lower() not in IMAGE_SUFFIXES or is_video_file(entry.path)]
    if not entries:
        raise UserError(f'there are no videos in {source}, only images')
    if filters.split is None and preferred_split in {entry.split for entry in entries}:
        filters = dataclasses.replace(filters, split=preferred_split)
    selected = select_videos(entries, filters, source)
    return sorted(split_arrays(selected), key=lambda entry: entry.name), filters


def _check(video: VideoEntry, filters: VideoFilter, protocol: Protocol, reader: VideoReader,
           stated_fps: float | None) -> VideoItem | Skipped:
    try:
        with reader.open(video.path) as handle:
            height, width = handle.read([0]).shape[1:3]
            first, last = filters.bounds(len(handle))
            frames, fps = last - first, float(handle.fps)
    except UserError as error:
        return Skipped(str(video.path), str(error))
    rule = protocol.clips
    has_rate = not (video.path.is_dir() or is_array(video.path))
    if rule.fps is not None and not has_rate and stated_fps is None:
        return Skipped(str(video.path), f'the protocol resamples to {rule.fps:g} frames per second, but frame folders '
                                        'and arrays have no frame rate; state it with --input-fps')
    available = rule.available_frames(frames, fps) if frames else 0
    if available < rule.span:
        return Skipped(str(video.path), f'it has {available} frames, and a clip of {rule.length} frames at stride '
                                        f'{rule.stride} needs {rule.span}')
    if protocol.frames.aspect == 'square_only' and height != width:
        return Skipped(str(video.path), f'it is {width}x{height}, and the protocol allows square videos only')
    return VideoItem(video.name, video.path, first, frames, fps, height, width, content_hash(video.path))
