"""Checks of a dataset: files, hashes, and people or recordings that several splits share."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Sequence

from leokit.data_tools.data_items import DataItem, read_items
from leokit.data_tools.identity_clusters import MAX_DISTANCE, cluster_identities
from leokit.data_tools.near_duplicates import find_near_duplicates, fingerprint_videos
from leokit.utils import UserError, progress_bar
from leokit.utils.thread_map import thread_map, worker_count
from leokit.video.content_hash import content_hash
from leokit.video.readers import AutoReader
from leokit.video.video_probe import Probe, probe_cache_file, probe_videos

MAX_LISTED = 10


@dataclass
class DataCheck:
    """Result of :func:`check_data`; the lists are empty if all is well.

    Attributes:
        videos (int): Videos of the manifest.
        hash (str): See :func:`data_hash`; empty if a video is missing.
        missing (list[str]): Videos that do not exist.
        unreadable (list[str]): Videos that cannot be read, with the reason.
        changed (list[str]): Videos whose content has another hash than the manifest says.
        wrong_lengths (list[str]): Videos with another number of frames than the manifest says.
        copies (list[str]): Byte-for-byte copies.
        shared_identities (dict[str, list[str]]): Splits of each identity that is in several.
        near_duplicates (list[dict]): ``first``, ``second`` (names), ``splits``, ``correlation``.
        shared_faces (list[dict]): ``identities`` that look like one person, and their ``splits``.
        without_split (int): Videos without a split, if others have one.
    """

    videos: int = 0
    hash: str = ''
    missing: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    wrong_lengths: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    shared_identities: dict[str, list[str]] = field(default_factory=dict)
    near_duplicates: list[dict[str, Any]] = field(default_factory=list)
    shared_faces: list[dict[str, Any]] = field(default_factory=list)
    without_split: int = 0

    def problems(self) -> list[str]:
        """One paragraph for each kind of problem."""
        crossing = [pair for pair in self.near_duplicates if len(set(pair['splits'])) > 1]
        inside = [pair for pair in self.near_duplicates if len(set(pair['splits'])) == 1]
        return [_paragraph(title, lines) for title, lines in (
            ('videos are missing', self.missing),
            ('videos cannot be read', self.unreadable),
            ('videos have changed since their hash was written', self.changed),
            ('videos have another number of frames than the manifest says', self.wrong_lengths),
            ('videos are copies of others', self.copies),
            ('identities are in several splits, so a model is tested on people it was trained on; divide them with '
             'leokit data split', [f'{name}: {", ".join(splits)}' for name, splits in self.shared_identities.items()]),
            ('pairs of videos in different splits show the same recording; give them one identity with leokit data '
             'split --near-duplicates', [_pair(pair) for pair in crossing]),
            ('pairs of videos in one split show the same recording', [_pair(pair) for pair in inside]),
            ('groups of identities in different splits look like one person; join them with leokit data split --faces',
             [f'{", ".join(group["identities"])} ({", ".join(group["splits"])})' for group in self.shared_faces]),
            ('videos have no split, though others have one', [''] * self.without_split)) if lines]


def check_data(source: str | Path, *, hashes: bool = True, near_duplicates: bool = False, faces: bool = False,
               max_distance: float = MAX_DISTANCE, workers: int | None = None) -> DataCheck:
    """Check a dataset.

    Args:
        source (str | Path): A folder of videos, or a manifest.
        hashes (bool): Read all files: compare them with the hashes of the manifest (key ``sha256``), find copies.
        near_duplicates (bool): Decode all videos and look for recordings that occur twice.
        faces (bool): Look for people whose face is in several splits, by their embeddings.
        max_distance (float): Of embeddings of one person, see :mod:`leokit.data_tools.identity_clusters`.
        workers (int, optional): Files read at a time. Default: one per core.
    """
    items, reader = read_items(source), AutoReader()
    probes = probe_videos([item.entry.path for item in items], reader, cache=probe_cache_file(Path(source), reader))
    check = DataCheck(len(items))
    usable = []
    for item, probe in zip(items, probes):
        if isinstance(probe, Probe):
            usable.append(item)
            if item.entry.frames not in (0, probe.frames):
                check.wrong_lengths.append(f'{item.entry.path}: {probe.frames} instead of {item.entry.frames}')
        elif not _exists(item):
            check.missing.append(str(item.entry.path))
        else:
            check.unreadable.append(probe)
    check.shared_identities = shared_identities(items)
    splits = [item.entry.split for item in items]
    check.without_split = splits.count(None) if set(splits) != {None} else 0
    if hashes:
        digests = _content_hashes(usable, trust=False, workers=workers)
        _compare_hashes(check, usable, digests)
        check.hash = data_hash(items, digests) if len(usable) == len(items) else ''
    if near_duplicates:
        check.near_duplicates = _near_duplicates(usable, workers)
    if faces:
        check.shared_faces = _shared_faces(usable, max_distance)
    return check


def shared_identities(items: Sequence[DataItem]) -> dict[str, list[str]]:
    """The splits of each identity that is in several."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.entry.split is not None:
            found[item.entry.identity].add(item.entry.split)
    return {name: sorted(splits) for name, splits in found.items() if len(splits) > 1}


def data_hash(items: Sequence[DataItem], hashes: Sequence[str]) -> str:
    """SHA-256 over names, labels and contents of the videos, in the order of their names.

    Two datasets with equal hashes are the same: neither the place of the files nor the order and format of the manifest
    counts.

    Args:
        items (Sequence[DataItem]): The videos.
        hashes (Sequence[str]): Hashes of their contents, see :func:`~leokit.video.content_hash.content_hash`.
    """
    lines = sorted('\t'.join([item.entry.name, item.entry.identity, item.entry.split or '', item.entry.category or '',
                              digest]) for item, digest in zip(items, hashes))
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()


def compare_data(first: str | Path, second: str | Path, *, workers: int | None = None) -> list[str]:
    """Differences of two datasets, one sentence each; empty if runs on them used the same data."""
    one, two = ({item.entry.name: item for item in read_items(source)} for source in (first, second))
    sentences = []
    for source, names in ((first, one.keys() - two.keys()), (second, two.keys() - one.keys())):
        if names:
            sentences.append(_paragraph(f'videos are in {source} only', sorted(names)))
    both = [name for name in one if name in two]
    for key in ('identity', 'split', 'category'):
        lines = [f'{name}: {getattr(one[name].entry, key)} and {getattr(two[name].entry, key)}' for name in both
                 if getattr(one[name].entry, key) != getattr(two[name].entry, key)]
        if lines:
            sentences.append(_paragraph(f'videos differ in {key}', lines))
    hashes = [_content_hashes([data[name] for name in both], trust=True, workers=workers) for data in (one, two)]
    if lines := [name for name, before, after in zip(both, *hashes) if before != after]:
        sentences.append(_paragraph('videos differ in content', lines))
    return sentences


def _compare_hashes(check: DataCheck, items: Sequence[DataItem], digests: Sequence[str]) -> None:
    known: dict[str, str] = {}
    for item, digest in zip(items, digests):
        if item.entry.sha256 not in (None, digest):
            check.changed.append(str(item.entry.path))
        other = known.setdefault(digest, item.entry.name)
        if other != item.entry.name:
            check.copies.append(f'{item.entry.name} of {other}')


def _content_hashes(items: Sequence[DataItem], *, trust: bool, workers: int | None) -> list[str]:
    def work(item: DataItem) -> str:
        if trust and item.entry.sha256:
            return item.entry.sha256
        try:
            return content_hash(item.entry.path, trust_index=trust)
        except OSError as error:
            raise UserError(f'{item.entry.path} cannot be read ({error.strerror}); check the manifest with leokit data '
                            'check') from error
    with progress_bar(len(items), 'reading files', unit='video') as bar:
        hashes = []
        for digest in thread_map(work, items, workers or worker_count()):
            hashes.append(digest)
            bar.update()
    return hashes


def _near_duplicates(items: Sequence[DataItem], workers: int | None) -> list[dict[str, Any]]:
    prints, _ = fingerprint_videos([item.entry for item in items], workers=workers)
    return [dict(first=items[pair.first].entry.name, second=items[pair.second].entry.name,
                 splits=[items[number].entry.split or 'no split' for number in (pair.first, pair.second)],
                 correlation=pair.correlation) for pair in find_near_duplicates(prints)]


def _shared_faces(items: Sequence[DataItem], max_distance: float) -> list[dict[str, Any]]:
    people: dict[str, list[DataItem]] = defaultdict(list)
    for item, person in zip(items, cluster_identities([item.entry for item in items], max_distance=max_distance)):
        if person is not None:
            people[person].append(item)
    groups = [(list(dict.fromkeys(item.entry.identity for item in group)),
               sorted({item.entry.split or 'no split' for item in group})) for group in people.values()]
    return [dict(identities=identities, splits=splits) for identities, splits in groups
            if len(identities) > 1 and len(splits) > 1]


def _exists(item: DataItem) -> bool:
    path = str(item.entry.path)
    return item.entry.path.exists() or '#' in path and Path(path.partition('#')[0]).exists()


def _pair(pair: dict[str, Any]) -> str:
    splits = list(dict.fromkeys(pair['splits']))
    return f'{pair["first"]} and {pair["second"]} ({", ".join(splits)})'


def _paragraph(title: str, lines: Sequence[str]) -> str:
    shown = [f'  {line}' for line in lines[:MAX_LISTED] if line]
    more = [f'  ... and {len(lines) - MAX_LISTED} more'] if shown and len(lines) > MAX_LISTED else []
    return '\n'.join([f'{len(lines)} {title}' + (':' if shown else ''), *shown, *more])
