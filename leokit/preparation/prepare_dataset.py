"""Prepare a published dataset: its metadata and the videos that could be obtained become training clips."""

from collections import Counter, defaultdict
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Sequence

from leokit.preparation.clip_crop import DETECTED_CROPS, clip_detector
from leokit.preparation.clip_record import ClipRecord, Dropped
from leokit.preparation.clip_splits import assign_splits
from leokit.preparation.formats import MetadataReader
from leokit.preparation.journal import Journal, Results
from leokit.preparation.report import PAGE_FILE, Report
from leokit.preparation.source_videos import FoundVideos, find_source_videos
from leokit.preparation.video_work import MASKLESS_CROP, ClipSettings, Piece, VideoTask, work_on_video
from leokit.registry import METADATA_READERS
from leokit.utils import UserError, progress_bar
from leokit.utils.files import remove
from leokit.utils.folder_lock import one_writer
from leokit.utils.hashing import file_sha256
from leokit.utils.output_paths import OutputPaths
from leokit.utils.process_map import Crashed, process_map
from leokit.utils.settings_file import lock_settings
from leokit.utils.thread_map import worker_count
from leokit.video.disk_space import check_room
from leokit.video.frame_rate import DEFAULT_FPS
from leokit.video.manifest import write_manifest
from leokit.video.splits import DEFAULT_FRACTIONS, SPLITS

SETTINGS_FILE = 'preparation.json'
MANIFEST_FILE = 'manifest.json'
LOCK_FILE = '.preparation.lock'
UNKNOWN_SECONDS = 10.0  # of a clip whose metadata states no time, for the estimate of disk space


def dataset_settings(dataset: str, **settings: Any) -> ClipSettings:
    """The settings of a dataset's clips: its own rule and rate, and what is given; None stands for the default."""
    reader = METADATA_READERS.get(dataset)
    own = dict(crop=reader.crop, crop_rule=reader.crop_rule, fps=reader.fps)
    given = {key: value for key, value in settings.items() if value is not None}
    if given.get('crop') == 'dataset' and reader.crop_rule is None:
        raise UserError(f'{reader.title} has no crop of its own; choose {reader.crop}, person, center or none')
    return ClipSettings(**{**own, 'min_side': given.get('size', ClipSettings.size) // 2, **given})


def prepare_dataset(dataset: str, metadata: str | Path | None, videos: str | Path, target: str | Path,
                    settings: ClipSettings, *, split_fractions: Sequence[float] = DEFAULT_FRACTIONS,
                    workers: int | None = None) -> Report:
    """Cut the clips of a dataset, and write a manifest and a report.

    Clips appear under their name when they are complete. A second run with the same settings writes what is missing:
    after an interruption, or when more videos were obtained. Workers are spawned processes, so a script that calls this
    needs ``if __name__ == '__main__':``.

    Args:
        dataset (str): Key of ``METADATA_READERS``.
        metadata (str | Path, optional): The metadata file.
        videos (str | Path): Folder of the videos.
        target (str | Path): Folder of the clips, ``manifest.json``, ``report.json`` and ``report.html``.
        settings (ClipSettings): See :func:`dataset_settings`.
        split_fractions (Sequence[float]): Fractions of train, val and test where the metadata has no splits.
        workers (int, optional): Number of processes. Default: one per core.
    """
    metadata, videos, target = None if metadata is None else Path(metadata), Path(videos), Path(target)
    if not videos.is_dir():
        raise UserError(f'{videos} is no folder; pass the folder of the videos')
    if videos.resolve().is_relative_to(target.resolve()):
        raise UserError(f'{videos} lies in {target}, the folder of the clips; choose another folder')
    reader: MetadataReader = METADATA_READERS.build(dict(type=dataset))
    read = reader.read(metadata, videos)
    records, repeated = _without_repeats(read.records)
    split = assign_splits(records, split_fractions)
    found = find_source_videos(videos, split.records)
    if not found.videos and not found.clips:
        raise UserError(f'none of the {len(found.missing)} videos of {metadata or dataset} is in {videos}; their files '
                        f'must be named by their ids, such as {next(iter(found.missing))}.mp4')
    if settings.crop in DETECTED_CROPS:
        clip_detector(settings.crop, settings.person_detector)  # an error before the first video is decoded
    elif settings.crop == 'dataset' and any(record.box is None and record.mask is None for record in split.records):
        clip_detector(MASKLESS_CROP)
    check_room(target, _seconds(split.records, found) * (settings.fps or DEFAULT_FPS), settings.size)
    with one_writer(target, LOCK_FILE):
        lock_settings(target / SETTINGS_FILE, dict(asdict(settings), dataset=dataset),
                      subject=f'{target} holds clips', remedy='pass another folder, or delete this one')
        results, written = _cut(split.records, found, target, settings, workers or worker_count())
        rows, dropped = _collect(split.records, results, target)
        write_manifest(target / MANIFEST_FILE, rows)
        report = Report(
            dataset=reader.title, wanted=_count_records(read.records), published=dict(reader.published),
            found=dict(clips=sum(record.name in results for record in split.records), videos=len(found.videos)),
            missing=found.missing, written=written, clips=len(rows), splits=_count_rows(rows),
            dropped=[*read.invalid, *repeated, *split.dropped, *dropped],
            notes=[*read.notes, *split.notes, *_notes(found, rows)], settings=asdict(settings),
            metadata=_describe_metadata(metadata))
        report.write(target)
    if not rows:
        raise UserError(f'no clip of {reader.title} was written ({", ".join(report.reasons)}); see '
                        f'{target / PAGE_FILE}')
    return report


def _without_repeats(records: Sequence[ClipRecord]) -> tuple[list[ClipRecord], list[Dropped]]:
    """Records without those listed twice; different clips of one name get numbers."""
    seen: set[tuple] = set()
    names: Counter[str] = Counter()
    kept, repeated = [], []
    for record in records:
        key = (record.video, record.times, record.box)
        if key in seen:
            repeated.append(Dropped(record.name, record.video, 'duplicate', 'listed twice in the metadata'))
            continue
        seen.add(key)
        names[record.name] += 1
        kept.append(record if names[record.name] == 1 else
                    replace(record, name=f'{record.name}_{names[record.name]}'))
    return kept, repeated


def _cut(records: Sequence[ClipRecord], found: FoundVideos, target: Path, settings: ClipSettings,
         workers: int) -> tuple[dict[str, Results], int]:
    """Results by name of the clip, and how many clips are new."""
    for partial_file in target.rglob('*.part.*'):  # of an interrupted run
        remove(partial_file)
    paths, journal = OutputPaths(target), Journal(target)
    results: dict[str, Results] = {}
    pending: dict[Path, list[Piece]] = defaultdict(list)
    for record in records:
        source = found.videos.get(record.video) or found.clips.get(record.name)
        if source is None:
            continue
        known = journal.results(record, source)
        if known is None:
            pending[source].append(Piece(record, paths(record.name, '.mp4'), cut=record.name in found.clips))
        else:
            results[record.name] = known
    tasks = [VideoTask(source, tuple(pieces)) for source, pieces in pending.items()]
    written = 0
    with progress_bar(len(tasks), 'preparing videos', unit='video', show=bool(tasks)) as bar:
        for number, made in process_map(partial(work_on_video, settings=settings), tasks, min(workers, len(tasks))):
            task = tasks[number]
            for piece in task.pieces:
                record = piece.record
                own = [Dropped(record.name, record.video, 'unreadable', 'the decoder crashed')] if isinstance(
                    made, Crashed) else made[record.name]
                journal.append(record, task.source, own)
                results[record.name] = own
                written += sum(isinstance(result, dict) for result in own)
            bar.update()
    return results, written


def _collect(records: Sequence[ClipRecord], results: dict[str, Results],
             target: Path) -> tuple[list[dict[str, Any]], list[Dropped]]:
    """Manifest rows and dropped clips, in the order of the metadata; of equal clips the first stays."""
    rows, dropped, first = [], [], {}
    for record in records:
        for result in results.get(record.name, ()):
            if isinstance(result, Dropped):
                dropped.append(result)
                continue
            file = result['file'].relative_to(target)
            other = first.setdefault(result['digest'], file)
            if other != file:
                dropped.append(Dropped(record.name, record.video, 'duplicate', f'shows the pixels of {other}'))
                continue
            rows.append(dict(file=file.as_posix(), name=file.with_suffix('').as_posix(), identity=record.identity,
                             split=record.split, **{key: value for key, value in result.items()
                                                    if key not in ('clip', 'file', 'digest', 'bytes')}))
    return rows, dropped


def _seconds(records: Sequence[ClipRecord], found: FoundVideos) -> float:
    """Length of the clips whose video was found."""
    total = 0.0
    for record in records:
        if record.video in found.videos or record.name in found.clips:
            start, end = record.times.seconds if record.times else (0.0, UNKNOWN_SECONDS)
            total += float(end - start)
    return total


def _count_records(records: Sequence[ClipRecord]) -> dict[str, int]:
    return dict(clips=len(records), videos=len({record.video for record in records}),
                identities=len({record.identity for record in records}))


def _count_rows(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    counts = {}
    for split in SPLITS:
        own = [row for row in rows if row['split'] == split]
        counts[split] = dict(clips=len(own), identities=len({row['identity'] for row in own}),
                             frames=sum(row['frames'] for row in own))
    return counts


def _notes(found: FoundVideos, rows: Sequence[dict[str, Any]]) -> list[str]:
    cut = f'{len(found.clips)} clips were found already cut; they were taken whole, without the box of the metadata'
    shots = Counter(row['part_of'] for row in rows if 'part_of' in row)
    split_up = f'{len(shots)} clips were split at scene cuts into {sum(shots.values())}'
    empty = [split for split, counts in _count_rows(rows).items() if not counts['clips']]
    missing = (f'no clip is in {" or ".join(empty)}, which the configs use; give other --split-fractions, or edit '
               '"split" in the manifest')
    return [*found.notes, *([cut] if found.clips else []), *([split_up] if shots else []),
            *([missing] if empty else [])]


def _describe_metadata(path: Path | None) -> dict[str, str]:
    if path is None:
        return dict(metadata='the folders of the videos')
    if path.is_dir():
        return dict(metadata=str(path))
    return dict(metadata=str(path), metadata_sha256=file_sha256(path))
