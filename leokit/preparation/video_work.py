"""The work on one video of a dataset: find its clips, crop, check and write them."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leokit.preparation.clip_crop import (
    DETECTED_CROPS, ClipCrop, cut_cropped_clip, find_clip_crop, resolve_person_detector)
from leokit.preparation.clip_record import ClipRecord, ClipTimes, Dropped
from leokit.preparation.crop_rules import CROP_RULES, CropError, FrameSize, mask_box
from leokit.preparation.journal import Results
from leokit.utils import UserError
from leokit.utils.hashing import file_sha256
from leokit.video.face_crop import CropBox, center_box
from leokit.video.frame_rate import exact_rate
from leokit.video.readers import AutoReader, VideoHandle
from leokit.video.readers.damage import Damage, DamagedFrameError
from leokit.video.resize import CROPS

if TYPE_CHECKING:
    from leokit.video.cleaning import Finding

MIN_PRESENT = 0.9  # of a clip's frames; less is another version of the video
MASKLESS_CROP = 'faceforensics'  # of videos whose dataset crops by masks, and which have none
WATCH_SIZE = 256  # resolution at which clips are checked, so that memory stays bounded
CAUSES = ('black', 'fade')  # are named before the cuts that come with them
CHUNK_FRAMES = 32  # given to the checks at a time


@dataclass(frozen=True)
class ClipSettings:
    """How the clips of a dataset are written.

    Attributes:
        size (int): Resolution; even.
        crop (str): 'dataset', 'center', 'none', 'person' or a key of :data:`~leokit.croppers.CROP_PRESETS`.
        crop_rule (str, optional): The dataset's own rule; see :class:`~leokit.preparation.formats.MetadataReader`.
        fps (float, optional): Rate of the clips. Default: that of each video.
        min_frames (int): Shorter clips are dropped.
        max_frames (int, optional): Longer clips are cut into pieces of this length.
        min_side (int): Clips whose crop has a shorter side, in pixels of the video, are dropped.
        checks (tuple[str, ...]): Keys of :data:`~leokit.video.cleaning.CHECKS`; clips with a finding are dropped.
        crf (int): H.264 quality, from 0 (lossless) to 51.
        keyframe_interval (int): Frames from one key frame to the next.
        person_detector (str, optional): Of the crop 'person': 'torchvision' (default), 'hog' or a component of
            ``PERSON_DETECTORS``.
        split_at_cuts (bool, optional): Write the shots of a clip with scene cuts instead of dropping it.
    """

    size: int = 256
    crop: str = 'dataset'
    crop_rule: str | None = None
    fps: float | None = None
    min_frames: int = 64
    max_frames: int | None = None
    min_side: int = 128
    checks: tuple[str, ...] = ('scene_cut', 'black')
    crf: int = 18
    keyframe_interval: int = 12
    person_detector: str | None = None
    split_at_cuts: bool | None = None

    def __post_init__(self) -> None:
        if self.size < 2 or self.size % 2:
            raise UserError(f'size must be even and positive, got {self.size}')
        if self.crop not in ('dataset', *CROPS, *DETECTED_CROPS):
            raise UserError(f'unknown crop {self.crop!r}; choose one of dataset, '
                            f'{", ".join((*CROPS, *DETECTED_CROPS))}')
        object.__setattr__(self, 'person_detector', resolve_person_detector(self.crop, self.person_detector))
        if self.max_frames is not None and self.max_frames < self.min_frames:
            raise UserError(f'max_frames ({self.max_frames}) must not be less than min_frames ({self.min_frames})')
        if self.split_at_cuts and 'scene_cut' not in self.checks:
            raise UserError('clips are split at the cuts that the check scene_cut finds; add it to the checks')
        if self.checks:
            from leokit.video.cleaning import CHECKS  # imported where a clip is checked only
            unknown = [name for name in self.checks if name not in CHECKS]
            if unknown:
                raise UserError(f'unknown check {unknown[0]!r}; choose from {", ".join(CHECKS)}')


@dataclass(frozen=True)
class Piece:
    """A clip to be written: its record and its file; with ``cut``, the video is the clip, cut by somebody else."""

    record: ClipRecord
    path: Path
    cut: bool = False


@dataclass(frozen=True)
class VideoTask:
    """A video and its clips."""

    source: Path
    pieces: tuple[Piece, ...]


def work_on_video(task: VideoTask, settings: ClipSettings) -> dict[str, Results]:
    """Write the clips of a video; by record, a row for each clip that was written, and those that were dropped."""
    results: dict[str, Results] = {}
    try:
        video = _open(task.source, settings.fps)
    except UserError as error:
        return {piece.record.name: [_dropped(piece, 'unreadable', str(error))] for piece in task.pieces}
    with video:
        damage = Damage(video)
        try:
            frame = _frame_size(video, damage)
        except UserError as error:
            return {piece.record.name: [_dropped(piece, 'unreadable', str(error))] for piece in task.pieces}
        for piece in task.pieces:
            try:
                results[piece.record.name] = _write_pieces(video, frame, piece, task.source, settings,
                                                               damage)
            except CropError as problem:
                results[piece.record.name] = [_dropped(piece, problem.reason, problem.detail)]
            except (_UnreadableError, DamagedFrameError) as error:
                results[piece.record.name] = [_dropped(piece, 'unreadable', str(error))]
    return results


class _UnreadableError(Exception):
    """The video cannot be decoded, in contrast to errors of writing the clip."""


def _is_reading_error(error: UserError, source: Path) -> bool:
    return str(source) in str(error)


def _open(source: Path, fps: float | None) -> VideoHandle:
    video = AutoReader().open(source)
    return video.at_rate(fps) if fps else video


def _dropped(piece: Piece, reason: str, detail: str) -> Dropped:
    return Dropped(piece.record.name, piece.record.video, reason, detail)


def _frame_size(video: VideoHandle, damage: Damage) -> FrameSize:
    """Size of the first frame that can be decoded."""
    try:
        return FrameSize(*video.read([0]).shape[2:0:-1])
    except DamagedFrameError:
        intact, _ = damage.stretches()
        if not intact:
            raise
        return FrameSize(*video.read([intact[0].first]).shape[2:0:-1])


def _write_pieces(video: VideoHandle, frame: FrameSize, piece: Piece, source: Path, settings: ClipSettings,
                  damage: Damage) -> Results:
    """Write a clip, or the parts of a long one; of a damaged one the intact stretches."""
    first, last = _frames(video, None if piece.cut else piece.record.times)
    if last - first < settings.min_frames:
        return [_dropped(piece, 'too short', f'{last - first} frames, {settings.min_frames} needed')]
    length = settings.max_frames or last - first
    starts = range(first, last, length)
    results: Results = []
    for number, start in enumerate(starts):
        end = min(start + length, last)
        if end - start < settings.min_frames:
            continue  # the end of a clip that was cut into parts
        ending = '' if len(starts) == 1 else f'_{number:02d}'
        path = piece.path.with_name(f'{piece.path.stem}{ending}{piece.path.suffix}')
        if not damage.is_expected:
            try:
                results += _write(video, frame, piece, path, start, end, source, settings)
                continue
            except DamagedFrameError:
                pass
        results += _write_stretches(video, frame, piece, path, start, end, source, settings, damage)
    return results


def _write_stretches(video: VideoHandle, frame: FrameSize, piece: Piece, path: Path, first: int, last: int,
                     source: Path, settings: ClipSettings, damage: Damage) -> Results:
    """Write what is not damaged of a clip; a stretch is named by its first frame in the video."""
    intact, damaged = damage.stretches(first, last)
    results: Results = []
    for stretch in intact:
        if stretch.last - stretch.first >= settings.min_frames:
            own = path.with_name(f'{path.stem}_from{stretch.first}{path.suffix}') if damaged else path
            results += _write(video, frame, piece, own, *stretch, source, settings)
    if damaged:
        ranges = ', '.join(stretch.describe(video.fps) for stretch in damaged)
        results.append(_dropped(piece, 'damaged', f'frames {ranges}'))
    return results


def _frames(video: VideoHandle, times: ClipTimes | None) -> tuple[int, int]:
    if times is None:
        return 0, len(video)
    first, end = times.frames_at(exact_rate(video.fps))
    present = min(end, len(video)) - min(first, len(video))
    if present < MIN_PRESENT * (end - first):
        start, stop = (f'{float(second):.2f}' for second in times.seconds)
        raise CropError('beyond the end', f'from {start} s to {stop} s in a video of {len(video) / video.fps:.2f} s')
    return first, min(end, len(video))


def _write(video: VideoHandle, frame: FrameSize, piece: Piece, path: Path, first: int, last: int, source: Path,
           settings: ClipSettings, part_of: str | None = None) -> Results:
    """Write a clip, or its shots; those of a clip with cuts have ``part_of``."""
    try:
        crop = _crop(video, frame, piece, first, last, settings)
        side = crop.side(*frame)
        if side < settings.min_side:
            return [_dropped(piece, 'low resolution', f'the crop has {side} pixels, {settings.min_side} needed')]
        watched: list[np.ndarray] = []
        clip = cut_cropped_clip(video, path, first, last, crop, settings.size, crf=settings.crf,
                                keyframe_interval=settings.keyframe_interval,
                                watch=watched.append if settings.checks else None,
                                watch_size=min(settings.size, WATCH_SIZE))
    except DamagedFrameError:
        raise
    except UserError as error:
        if _is_reading_error(error, source) and str(path) not in str(error):
            raise _UnreadableError(str(error)) from error
        raise
    findings = _inspect(watched, video.fps, settings.checks)
    cuts = [first + finding.start for finding in findings if finding.reason == 'scene_cut']
    if findings:
        path.unlink()
    if cuts and settings.split_at_cuts:
        return _write_shots(video, frame, piece, path, [first, *cuts, last], source, settings)
    if findings:
        return [_dropped(piece, *_problem(findings))]
    record, rate = piece.record, exact_rate(video.fps)
    row = dict(clip=record.name, file=path, frames=clip.frames, fps=float(rate), source=str(source),
                video=record.video, first_frame=first, start=float(first / rate), end=float(last / rate),
                **crop.describe(), source_size=list(frame), sha256=file_sha256(path), digest=clip.digest)
    return [row if part_of is None else dict(row, part_of=part_of)]


def _write_shots(video: VideoHandle, frame: FrameSize, piece: Piece, path: Path, bounds: list[int], source: Path,
                 settings: ClipSettings) -> Results:
    """Write what lies between the cuts of a clip."""
    results: Results = []
    for number, (first, last) in enumerate(pairwise(bounds)):
        if last - first < settings.min_frames:
            results.append(_dropped(piece, 'too short', f'shot {number}: {last - first} frames, {settings.min_frames} '
                                                        'needed'))
            continue
        own = path.with_name(f'{path.stem}_shot{number:02d}{path.suffix}')
        try:
            results += _write(video, frame, piece, own, first, last, source, settings, piece.record.name)
        except CropError as problem:
            results.append(_dropped(piece, problem.reason, f'shot {number}: {problem.detail}'))
    return results


def _crop(video: VideoHandle, frame: FrameSize, piece: Piece, first: int, last: int,
          settings: ClipSettings) -> ClipCrop:
    """The crop of a clip; one that is already cut is square, or is cropped at its center."""
    record, crop = piece.record, settings.crop
    if crop == 'none':
        return ClipCrop(CropBox(0, 0, *frame))
    if crop == 'center' or (crop == 'dataset' and piece.cut):
        return ClipCrop(center_box(*frame))
    if crop == 'dataset' and settings.crop_rule == 'face_mask' and record.mask is not None:
        with AutoReader().open(record.mask) as mask:
            size = FrameSize(*mask.read([0]).shape[2:0:-1])
            if size != frame:
                raise CropError('other aspect ratio', f'the mask has {size.width}x{size.height} pixels, the video '
                                                        f'{frame.width}x{frame.height}')
            return ClipCrop(mask_box(mask))
    if crop == 'dataset' and record.box is not None:
        return ClipCrop(CROP_RULES[settings.crop_rule](record.box, frame))
    return find_clip_crop(video, MASKLESS_CROP if crop == 'dataset' else crop, first, last, settings.person_detector)


def _inspect(frames: list[np.ndarray], fps: float, checks: tuple[str, ...]) -> list['Finding']:
    """The findings of a clip."""
    if not checks:
        return []
    from leokit.video.cleaning import inspect_clip
    chunks = (np.stack(frames[start:start + CHUNK_FRAMES]) for start in range(0, len(frames), CHUNK_FRAMES))
    return inspect_clip(chunks, fps, checks)


def _problem(findings: list['Finding']) -> tuple[str, str]:
    """Reason and detail of the most important finding."""
    first = min(findings, key=lambda finding: finding.reason not in CAUSES)
    place = f'frame {first.start}' if first.end - first.start == 1 else f'frames {first.start} to {first.end - 1}'
    others = sorted({finding.reason.replace('_', ' ') for finding in findings} - {first.reason.replace('_', ' ')})
    return first.reason.replace('_', ' '), f'{place} of the clip' + f'; also {", ".join(others)}' * bool(others)
