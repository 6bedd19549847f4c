"""Conversion of raw videos to training clips: square, of one resolution and limited length, with fast seeking."""

import logging
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.logging import print_log

from leokit.preparation.clip_crop import (
    DETECTED_CROPS, ClipCrop, clip_detector, cut_cropped_clip, find_clip_crop, resolve_person_detector)
from leokit.preparation.crop_rules import CropError
from leokit.utils import UserError, progress_bar
from leokit.utils.folder_lock import one_writer
from leokit.utils.output_paths import OutputPaths
from leokit.utils.settings_file import lock_settings
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.face_crop import CropBox, center_box
from leokit.video.frame_rate import format_rates, group_rates, resampled_count
from leokit.video.manifest import read_manifest, write_manifest
from leokit.video.readers import AutoReader, VideoHandle, VideoReader
from leokit.video.readers.base import open_at_rate
from leokit.video.readers.damage import Damage, DamagedFrameError
from leokit.video.resize import CROPS
from leokit.video.video_entry import Skipped, VideoEntry
from leokit.video.video_index import VideoIndex

SETTINGS_FILE = 'preparation.json'
MANIFEST_FILE = 'manifest.json'
LOCK_FILE = '.preparation.lock'


@dataclass(frozen=True)
class Preparation:
    """Settings of the clips.

    Attributes:
        size (int): Resolution; even, as H.264 requires.
        crop (str): See :func:`~leokit.video.resize.fit_frames`; or a key of
            :data:`~leokit.croppers.CROP_PRESETS`: one box around the face for each clip; or 'person'
            (:func:`~leokit.croppers.find_person_track`).
        max_frames (int, optional): Longer videos are cut into pieces of this length. Default: never cut.
        min_frames (int): Shorter videos, and shorter pieces at the end of a video, are dropped.
        crf (int): H.264 quality, from 0 (lossless) to 51.
        keyframe_interval (int): Distance of key frames; small values make random access fast.
        fps (float, optional): Frame rate of all clips; videos are resampled to it by time, and numbers of frames count
            frames at this rate. Default: the rate of each video.
        person_detector (str, optional): Of the crop 'person': 'torchvision' (default), 'hog' or a component of
            ``PERSON_DETECTORS``.
    """

    size: int
    crop: str = 'center'
    max_frames: int | None = None
    min_frames: int = 2
    crf: int = 18
    keyframe_interval: int = 12
    fps: float | None = None
    person_detector: str | None = None

    def __post_init__(self) -> None:
        if self.crop not in (*CROPS, *DETECTED_CROPS):
            raise UserError(f'unknown crop {self.crop!r}; choose one of {", ".join((*CROPS, *DETECTED_CROPS))}')
        object.__setattr__(self, 'person_detector', resolve_person_detector(self.crop, self.person_detector))
        if self.size < 2 or self.size % 2 or self.min_frames < 1 or self.keyframe_interval < 1:
            raise UserError('size must be even and positive, min_frames and keyframe_interval at least 1, got '
                            f'{self.size}, {self.min_frames}, {self.keyframe_interval}')
        if self.max_frames is not None and self.max_frames < self.min_frames:
            raise UserError(f'max_frames ({self.max_frames}) must not be less than min_frames ({self.min_frames})')

    def pieces(self, frames: int) -> list[tuple[int, int]]:
        """First frame and end (exclusive) of the clips of a video of ``frames`` frames."""
        step = self.max_frames or max(frames, 1)
        cuts = [*range(0, frames, step), frames]
        return [(first, last) for first, last in pairwise(cuts) if last - first >= self.min_frames]


class PreparationReport(NamedTuple):
    """Result of :func:`prepare_videos`.

    Attributes:
        clips (int): Clips in the folder.
        written (int): Clips written in this run.
        skipped (list[Skipped]): Videos that cannot be decoded to their end, are too short or have clips without a
            face or person.
    """

    clips: int
    written: int
    skipped: list[Skipped]


def prepare_videos(index: VideoIndex, target: str | Path, settings: Preparation, *, reader: VideoReader | None = None,
                   workers: int | None = None) -> PreparationReport:
    """Cut, crop and resize videos to H.264 clips, several at a time, and write a manifest of them.

    Clips keep the identity and split of their video. Clips appear under their name when they are complete, and
    existing clips are not written again, so an interrupted preparation can be resumed.

    Args:
        index (VideoIndex): The raw videos.
        target (str | Path): Folder of the clips and of ``manifest.json``.
        settings (Preparation): Settings of the clips; all clips of a folder must have the same.
        reader (VideoReader, optional): Opens the videos. Default: ``AutoReader()``.
        workers (int, optional): Videos processed at the same time. Default: one per core.
    """
    if settings.crop in DETECTED_CROPS:
        clip_detector(settings.crop, settings.person_detector)  # an error before the first video is decoded
    target = Path(target)
    inside = next((video.path for video in index if Path(video.path).resolve().is_relative_to(target.resolve())), None)
    if inside is not None:
        raise UserError(f'{inside} is a raw video inside {target}, the folder of the clips; choose another folder')
    with one_writer(target, LOCK_FILE):
        return _prepare(index, target, settings, reader or AutoReader(), workers or worker_count())


def _prepare(index: VideoIndex, target: Path, settings: Preparation, reader: VideoReader,
             workers: int) -> PreparationReport:
    lock_settings(target / SETTINGS_FILE, asdict(settings), subject=f'{target} holds clips',
                  remedy='pass another folder, or delete this one')
    plans = _plan(index, target, settings)

    rates = group_rates(video.fps for video in index)
    if settings.fps is None and len(rates) > 1:
        print_log(f'the videos of {index.root} have several frame rates ({format_rates(rates)} frames per second), and '
                  'so have the clips; pass --fps to get one', logger='current', level=logging.WARNING)

    def convert(video: VideoEntry) -> tuple[list[dict[str, Any]], int, str]:
        rows, written, missing = [], 0, defaultdict(list)

        def write(clip: _Clip, *, is_part: bool = False) -> None:
            nonlocal written
            try:
                row, new = _convert(video, clip, target, settings, reader, is_part)
            except CropError as problem:
                missing[problem.reason].append(f'{clip.first} to {clip.last - 1}')
            else:
                rows.append(row)
                written += new

        damage = None  # of the video, once a damaged frame was met
        try:
            for clip in plans[video.name]:
                try:
                    if damage is None:
                        write(clip)
                        continue
                except DamagedFrameError:
                    damage = _find_damage(video, settings, reader)
                for part in _intact_parts(clip, damage, settings.min_frames):
                    write(part, is_part=True)
                for stretch in damage.stretches(clip.first, clip.last)[1]:
                    missing['damage'].append(stretch.describe(settings.fps or video.fps))
        except (_UnreadableError, DamagedFrameError) as error:
            return rows, written, str(error)
        return rows, written, '; '.join(f'{reason} in frames {", ".join(ranges)}' for reason, ranges in missing.items())

    rows, written, skipped = [], 0, list(index.skipped)
    with progress_bar(len(index), 'preparing videos', unit='video') as bar:
        for video, (clips, new, problem) in zip(index, thread_map(convert, index, workers)):
            rows += clips
            written += new
            if problem:
                skipped.append(Skipped(str(video.path), problem))
            elif not clips:
                skipped.append(Skipped(str(video.path), f'{video.frames} frames, {settings.min_frames} needed'))
            bar.update()
    if not rows:
        raise UserError(f'no clip could be written; the first problem: {skipped[0]}')
    write_manifest(target / MANIFEST_FILE, _keep_labels(target / MANIFEST_FILE, rows))
    return PreparationReport(len(rows), written, skipped)


class _Clip(NamedTuple):
    """A clip to be written: its file, and its frames in the raw video."""

    path: Path
    first: int
    last: int


def _plan(index: VideoIndex, target: Path, settings: Preparation) -> dict[str, list[_Clip]]:
    """The clips of each video, by its name; two clips never share a file."""
    paths, plans = OutputPaths(target), {}
    for video in index:
        frames = resampled_count(video.frames, settings.fps, video.fps) if settings.fps and video.fps else video.frames
        pieces = settings.pieces(frames)
        digits = max(2, len(str(len(pieces) - 1)))  # so that names sort like numbers
        endings = [''] if settings.max_frames is None else [f'_{number:0{digits}d}' for number in range(len(pieces))]
        plans[video.name] = [_Clip(paths(f'{video.name}{ending}', '.mp4'), first, last)
                             for ending, (first, last) in zip(endings, pieces)]
    return plans


def _keep_labels(manifest: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep identity and split of an existing manifest, which may be edited by hand, if the raw videos have no split."""
    known = {video.path.resolve(): video for video in read_manifest(manifest)} if manifest.is_file() else {}
    kept = []
    for row in rows:
        video = known.get((manifest.parent / row['file']).resolve())
        if video is not None and row.get('split') is None:
            row = dict(row, identity=video.identity, split=video.split)
        kept.append(row)
    return kept


def _find_damage(video: VideoEntry, settings: Preparation, reader: VideoReader) -> Damage:
    with open_at_rate(reader, video.path, video.fps, settings.fps) as opened:
        damage = Damage(opened)
        _ = damage.frames  # searched while the video is open
    return damage


def _intact_parts(clip: _Clip, damage: Damage, min_frames: int) -> list[_Clip]:
    """What is not damaged of a clip; a stretch is named by its first frame in the video."""
    intact, damaged = damage.stretches(clip.first, clip.last)
    path = clip.path
    return [_Clip(path.with_name(f'{path.stem}_from{stretch.first}{path.suffix}') if damaged else path, *stretch)
            for stretch in intact if stretch.last - stretch.first >= min_frames]


class _UnreadableError(Exception):
    """The raw video cannot be decoded, in contrast to errors of writing the clip."""


def _convert(video: VideoEntry, clip: _Clip, target: Path, settings: Preparation,
             reader: VideoReader, is_part: bool) -> tuple[dict[str, Any], bool]:
    """Write a clip: its manifest row, and True if it is new; a :class:`CropError` if it has nothing to crop to."""
    fps = settings.fps or video.fps
    new = not clip.path.exists()
    if new:
        try:
            with open_at_rate(reader, video.path, video.fps, settings.fps) as opened:
                if not is_part and Damage(opened).is_expected:
                    raise DamagedFrameError(f'{video.path} has damaged packets')
                cut_cropped_clip(opened, clip.path, clip.first, clip.last, _crop(opened, clip, settings), settings.size,
                                 crf=settings.crf, keyframe_interval=settings.keyframe_interval)
        except DamagedFrameError:
            raise
        except UserError as error:
            if str(video.path) in str(error) and str(clip.path) not in str(error):
                raise _UnreadableError(str(error)) from error
            raise
    file = clip.path.relative_to(target)
    return dict(file=file.as_posix(), name=file.with_suffix('').as_posix(), identity=video.identity,
                split=video.split, frames=clip.last - clip.first, fps=fps, source=str(video.path),
                first_frame=clip.first), new


def _crop(video: VideoHandle, clip: _Clip, settings: Preparation) -> ClipCrop:
    """The crop of a clip in pixels of the video."""
    if settings.crop in DETECTED_CROPS:
        return find_clip_crop(video, settings.crop, clip.first, clip.last, settings.person_detector)
    height, width = video.read([clip.first]).shape[1:3]
    return ClipCrop(center_box(width, height) if settings.crop == 'center' else CropBox(0, 0, width, height))
