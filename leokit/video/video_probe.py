"""Probe videos: open each once to learn whether it can be read, its number of frames, rate and size.

Results are cached on disk for unchanged files, so that only the first start of a training on thousands of videos takes
the time to open them all.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple, Sequence

from mmengine.dist import is_main_process

from leokit.utils import UserError, progress_bar
from leokit.utils.cache_dirs import cache_dir
from leokit.utils.files import write_bytes
from leokit.utils.locks import FileLock
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.readers import VideoReader
from leokit.video.shards import find_member, is_shard_member

CACHE_VERSION = 2  # 1: rates as headers state them; display matrices and the shape of pixels ignored
PROGRESS_FROM = 500  # videos, about a second of probing; fewer need no progress bar


class Probe(NamedTuple):
    """Properties of a video that can be read."""

    frames: int
    fps: float
    height: int  # of the first frame
    width: int


def probe_video(path: Path, reader: VideoReader) -> Probe:
    """Open a video and decode its first frame; the index of a shard knows its videos."""
    if is_shard_member(path):
        member = find_member(path)
        if member.shard.stat().st_size < member.offset + member.bytes:
            raise UserError(f'the shard {member.shard} is truncated, and {path} lies beyond its end; copy or pack it '
                            'again')
        return Probe(member.frames, member.fps, member.height, member.width)
    with reader.open(path) as video:
        height, width = video.read([0]).shape[1:3]
        return Probe(len(video), float(video.fps), height, width)


def probe_videos(paths: Sequence[Path], reader: VideoReader, *, cache: Path | None = None) -> list[Probe | str]:
    """Probe many videos in parallel, with progress.

    Args:
        paths (Sequence[Path]): Files and frame folders.
        reader (VideoReader): Opens them.
        cache (Path, optional): A file that keeps the results of readable videos; others are tried again every time.
            A cache that is broken or cannot be written is ignored.

    Returns:
        list[Probe | str]: For each path the probe, or the error of a video that cannot be read.
    """
    known = _load(cache)
    stamps = [_stamp(path) for path in paths]
    results: list[Probe | str | None] = [None] * len(paths)
    for index, (path, stamp) in enumerate(zip(paths, stamps)):
        if is_shard_member(path):  # a look at the index of the shard; no file is opened
            results[index] = _probe(path, reader)
        elif stamp is not None and known.get(str(path), [])[:2] == stamp:
            results[index] = Probe(*known[str(path)][2:])
    pending = [index for index, result in enumerate(results) if result is None]

    # More threads than cores: reading headers mostly waits for the disk.
    show = len(pending) >= PROGRESS_FROM and is_main_process()
    with progress_bar(len(pending), 'probing videos', unit='video', show=show) as bar:
        for index, result in zip(pending, thread_map(lambda index: _probe(paths[index], reader), pending,
                                                     2 * worker_count())):
            results[index] = result
            bar.update()
    found = {str(paths[index]): [*stamps[index], *results[index]] for index in pending
             if stamps[index] is not None and isinstance(results[index], Probe)}
    if cache is not None and found:
        _save(cache, {**known, **found})
    return results


def probe_cache_file(root: Path, reader: VideoReader) -> Path:
    """The cache file of the probes of the videos of ``root``."""
    key = f'{Path(root).resolve()} {reader.signature()}'
    return cache_dir() / 'probes' / f'{hashlib.sha256(key.encode()).hexdigest()[:24]}.json'


def _probe(path: Path, reader: VideoReader) -> Probe | str:
    try:
        return probe_video(path, reader)
    except UserError as error:
        return str(error)
    except OSError as error:  # no permission, stale network file, ...
        return f'{path} cannot be read ({error})'


def _stamp(path: Path) -> list[int] | None:
    """Size and modification time of a file, by which a changed file is noticed; None if there is no file."""
    if is_shard_member(path):
        return None
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _load(cache: Path | None) -> dict[str, list]:
    """Stamp and probe, in one list, by path."""
    try:
        content = json.loads(cache.read_text()) if cache is not None else {}
        known = content['probes'] if content.get('version') == CACHE_VERSION else {}
        return {path: row for path, row in known.items() if len(row) == 2 + len(Probe._fields)}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):  # missing, cut off, foreign
        return {}


def _save(cache: Path, known: dict[str, list]) -> None:
    lock = FileLock(cache.with_suffix('.lock'))
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        if lock.acquire():  # else another process is writing the same
            write_bytes(cache, json.dumps(dict(version=CACHE_VERSION, probes=known)).encode())
    except OSError:
        pass  # no space or no permission: the next start probes again
    finally:
        lock.release()
