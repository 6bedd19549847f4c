"""Pack video files into shards that datasets read like the files; see :mod:`leokit.video.shards`."""

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any, NamedTuple, Sequence

import numpy as np

from leokit.data_tools.data_items import DataItem, read_items
from leokit.utils import UserError, progress_bar
from leokit.utils.files import atomic_path, clear_write_errors
from leokit.utils.folder_lock import one_writer
from leokit.utils.settings_file import lock_settings
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.manifest import write_manifest
from leokit.video.readers import AutoReader
from leokit.video.readers.array_reader import is_array
from leokit.video.shards import INDEX_TYPE, MAX_CLIP_BYTES, MEMBER_MARK, find_member, index_file, is_shard_member
from leokit.video.video_entry import Skipped
from leokit.video.video_probe import Probe, probe_cache_file, probe_videos

CLIPS_PER_SHARD = 1000
SETTINGS_FILE = 'packing.json'
MANIFEST_FILE = 'manifest.jsonl'
SPARE_BYTES = 1 << 26  # disk space that must remain free


class PackingReport(NamedTuple):
    """Result of :func:`pack_videos`.

    Attributes:
        videos (int): Videos in the shards.
        shards (int): Shards in the folder.
        written (int): Shards written in this run.
        bytes (int): Size of the shards.
        skipped (list[Skipped]): Videos that cannot be read.
    """

    videos: int
    shards: int
    written: int
    bytes: int
    skipped: list[Skipped]


def pack_videos(source: str | Path, target: str | Path, *, clips_per_shard: int = CLIPS_PER_SHARD,
                workers: int | None = None) -> PackingReport:
    """Copy all videos of a dataset into shards, with a manifest that keeps names, labels, order and all other keys.

    A shard gets its name when it is complete, so that an interrupted run can be repeated; existing shards are kept.
    Bytes are copied, not encoded again.

    Args:
        source (str | Path): A folder of video files, or a manifest.
        target (str | Path): Folder of the shards, their indices and ``manifest.jsonl``: a ``data_root`` of datasets.
        clips_per_shard (int): Videos per shard; the last one may have fewer.
        workers (int, optional): Shards written at a time. Default: one per core.
    """
    if clips_per_shard < 1:
        raise UserError(f'clips_per_shard must be at least 1, got {clips_per_shard}')
    target = Path(target)
    if target.resolve() == (Path(source) if Path(source).is_dir() else Path(source).parent).resolve():
        raise UserError(f'{target} is the folder of the videos; choose another folder for the shards')
    items, reader = read_items(source), AutoReader()
    _check_files(items)
    probes = probe_videos([item.entry.path for item in items], reader, cache=probe_cache_file(Path(source), reader))
    skipped = [Skipped(str(item.entry.path), probe) for item, probe in zip(items, probes) if isinstance(probe, str)]
    usable = [(item, probe) for item, probe in zip(items, probes) if isinstance(probe, Probe)]
    if not usable:
        raise UserError(f'none of the {len(items)} videos of {source} can be read; the first problem: {skipped[0]}')
    videos = [_Video(number, item, probe) for number, (item, probe) in enumerate(usable)]
    with one_writer(target, 'packing.lock'):
        lock_settings(target / SETTINGS_FILE, dict(clips_per_shard=clips_per_shard, videos=_listing_hash(videos)),
                      subject=f'{target} holds shards', remedy='pass another folder, or delete this one')
        groups = [videos[start:start + clips_per_shard] for start in range(0, len(videos), clips_per_shard)]
        paths = [target / f'shard-{number:06d}.tar' for number in range(len(groups))]
        missing = [(path, group) for path, group in zip(paths, groups) if not _is_complete(path, group)]
        _check_room(target, [video for _, group in missing for video in group])
        with progress_bar(len(missing), 'packing videos', unit='shard', show=bool(missing)) as bar:
            for _ in thread_map(lambda work: _write_shard(*work), missing, workers or worker_count()):
                bar.update()
        write_manifest(target / MANIFEST_FILE, [_row(path, video) for path, group in zip(paths, groups)
                                                for video in group])
    return PackingReport(len(videos), len(paths), len(missing), sum(path.stat().st_size for path in paths),
                         skipped)


class _Video(NamedTuple):
    number: int
    item: DataItem
    probe: Probe

    @property
    def path(self) -> Path:
        return self.item.entry.path

    @property
    def member(self) -> str:
        return f'{self.number:09d}{self.path.suffix.lower()}'


def _check_files(items: Sequence[DataItem]) -> None:
    for path in (item.entry.path for item in items):
        if is_shard_member(path):
            raise UserError(f'{path} is in a shard already; pack the original files')
        if path.is_dir() or is_array(path):
            raise UserError(f'{path} is no video file, and shards hold only these; convert it with leokit prepare '
                            'first')
        if path.is_file() and path.stat().st_size > MAX_CLIP_BYTES:
            raise UserError(f'{path} has {path.stat().st_size >> 20} MiB, and videos of shards are read whole, at '
                            f'most {MAX_CLIP_BYTES >> 20} MiB; cut it into clips with leokit prepare --max-frames')


def _listing_hash(videos: Sequence[_Video]) -> str:
    """A hash of what is packed, by which a repeated run notices that the source has changed."""
    digest = hashlib.sha256()
    for video in videos:
        status = video.path.stat()
        labels = json.dumps(video.item.manifest_row('.'), sort_keys=True, default=str)
        digest.update(f'{video.number}\t{status.st_size}\t{status.st_mtime_ns}\t{labels}\n'.encode())
    return digest.hexdigest()


def _check_room(target: Path, videos: Sequence[_Video]) -> None:
    needed = sum(video.path.stat().st_size + 4 * tarfile.BLOCKSIZE for video in videos)
    free = shutil.disk_usage(target).free - SPARE_BYTES
    if needed > free:
        raise UserError(f'the shards need {needed / 2**30:.2f} GiB, and the disk of {target} has '
                        f'{max(free, 0) / 2**30:.2f} GiB left; choose another disk')


def _is_complete(path: Path, group: Sequence[_Video]) -> bool:
    if not path.is_file():
        return False
    try:
        last = find_member(f'{path}{MEMBER_MARK}{group[-1].member}')
    except UserError:
        return False
    return path.stat().st_size >= last.offset + last.bytes


def _write_shard(path: Path, group: Sequence[_Video]) -> None:
    table = np.zeros(len(group), INDEX_TYPE)
    with clear_write_errors(path), atomic_path(path) as part:
        with tarfile.open(part, 'w', format=tarfile.USTAR_FORMAT) as tar:
            for row, video in zip(table, group):
                _add_video(tar, row, video)
        with atomic_path(index_file(path)) as index_part, open(index_part, 'wb') as file:
            np.save(file, table, allow_pickle=False)


def _add_video(tar: tarfile.TarFile, row: np.ndarray, video: _Video) -> None:
    try:
        content = video.path.read_bytes()
    except OSError as error:
        raise UserError(f'{video.path} cannot be read any more ({error.strerror}); run the command again') from error
    row['number'], row['offset'], row['bytes'] = video.number, tar.offset + tarfile.BLOCKSIZE, len(content)
    row['frames'], row['fps'], row['height'], row['width'] = video.probe
    row['sha256'] = hashlib.sha256(content).hexdigest().encode()
    _add(tar, video.member, content)
    labels = {key: value for key, value in video.item.manifest_row('.').items() if key != 'file'}
    _add(tar, f'{video.number:09d}.json', json.dumps(labels, ensure_ascii=False, default=str).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append a file with a header that depends on name and size only, so that equal data give equal shards."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _row(path: Path, video: _Video) -> dict[str, Any]:
    name = f'{path.name}{MEMBER_MARK}{video.member}'
    member = find_member(path.parent / name)
    return video.item.manifest_row(path.parent, file=name, frames=member.frames, sha256=member.sha256,
                                   fps=video.item.entry.fps or member.fps)
