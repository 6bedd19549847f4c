"""Extraction in shards: processes that encode a part of the videos each, and their codes as one cache.

The shards of a code cache are caches in its folder ``shards``. An extraction without a shard takes the codes of
finished shards, in the order of the videos, and encodes what is missing.
"""

from collections import defaultdict
from pathlib import Path

from mmengine.logging import print_log

from leokit.datasets.code_cache import INDEX_FILE, JOURNAL_FILE, CodeCache, CodedVideo
from leokit.datasets.code_cache_writer import CodeCacheWriter
from leokit.inference.code_extraction import num_codes
from leokit.utils import UserError
from leokit.video.frame_rate import common_rate, group_rates
from leokit.video.shards import video_bytes
from leokit.video.video_index import VideoIndex

FOLDER = 'shards'
PRODUCER_KEYS = ('weights_hash', 'crop', 'amp')


def shard_folder(folder: str | Path, shard: tuple[int, int]) -> Path:
    """Folder of shard (number, count), the first being number 1."""
    return Path(folder) / FOLDER / f'{shard[0]}_of_{shard[1]}'


def shared_rate(index: VideoIndex) -> float | None:
    """The rate that an extraction of all videos chooses; None if they have one rate."""
    rates = [video.fps for video in index]
    return common_rate(rates, [video.frames for video in index]) if len(group_rates(rates)) > 1 else None


def select_shard(index: VideoIndex, shard: tuple[int, int]) -> None:
    """Keep every count-th video; unusable videos are reported by the first shard."""
    number, count = shard
    index.videos = index.videos[number - 1::count]
    if number > 1:
        index.skipped = []


def adopt_shards(index: VideoIndex, writer: CodeCacheWriter) -> int:
    """Add the codes of finished shards to a cache; returns the number of videos."""
    coded = {}
    for folder in sorted((writer.folder / FOLDER).glob('*_of_*')):
        if not (folder / INDEX_FILE).is_file() or (folder / JOURNAL_FILE).exists():
            print_log(f'{folder} is not finished; its videos are encoded now', logger='current')
            continue
        cache = CodeCache(folder)
        for key in PRODUCER_KEYS:
            if cache.animator.get(key) != writer.animator.get(key):
                raise UserError(f'{folder} was extracted with {key}={cache.animator.get(key)}, not '
                                f'{writer.animator.get(key)}; delete it, or pass another --out')
        parts: dict[str, list[CodedVideo]] = defaultdict(list)
        for video in cache.videos:
            parts[video.video].append(video)
        coded.update((name, (cache, entries)) for name, entries in parts.items())
    adopted = 0
    for video in index:
        if video.name in writer or video.name not in coded:
            continue
        cache, entries = coded[video.name]
        size = video_bytes(video.path)
        known = entries[0]
        if (known.video_length, known.file_size) != (num_codes(video, known.fps), size):
            continue  # the file was replaced since
        for part in entries:
            if part.name not in writer:
                writer.add(part.name, cache.codes[part.offset:part.offset + part.length], identity=video.identity,
                           split=video.split, fps=part.fps, file_size=size, part=part)
        adopted += 1
    return adopted
