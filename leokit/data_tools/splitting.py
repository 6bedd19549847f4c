"""Divide a dataset into splits that share no people, no recordings."""

from collections import Counter
from pathlib import Path
from typing import Any, Sequence

from leokit.data_tools.data_items import DataItem, read_items
from leokit.data_tools.identity_clusters import MAX_DISTANCE, cluster_identities
from leokit.data_tools.near_duplicates import find_near_duplicates, fingerprint_videos
from leokit.video.splits import DEFAULT_FRACTIONS, split_identities
from leokit.video.video_entry import warn_listed, warn_skipped


def split_data(source: str | Path, folder: str | Path, *, fractions: Sequence[float] = DEFAULT_FRACTIONS, seed: int = 0,
               faces: bool = False, max_distance: float = MAX_DISTANCE,
               near_duplicates: bool = False) -> list[dict[str, Any]]:
    """Assign every identity to a split by the hash of its name (:func:`~leokit.video.splits.split_of`).

    Identities that belong together become one, named after the first of them; the original one is kept as
    ``original_identity``.

    Args:
        source (str | Path): A folder of videos, or a manifest. Its splits are replaced.
        folder (str | Path): Folder of the new manifest, which paths are relative to.
        fractions (Sequence[float]): Fractions of train, val and test, with sum 1.
        seed (int): Seed of the division.
        faces (bool): Join identities whose faces look like one person.
        max_distance (float): Of their embeddings; see :mod:`leokit.data_tools.identity_clusters`.
        near_duplicates (bool): Join identities that are seen in the same recording.

    Returns:
        list[dict]: Rows for :func:`~leokit.video.manifest.write_manifest`.
    """
    items = read_items(source)
    groups = _Groups(item.entry.identity for item in items)
    if faces:
        people = cluster_identities([item.entry for item in items], max_distance=max_distance)
        groups.join((item.entry.identity, person) for item, person in zip(items, people) if person is not None)
        faceless = [str(item.entry.path) for item, person in zip(items, people) if person is None]
        if faceless:
            warn_listed(f'videos of {source} in which no face was recognized, {len(faceless)} in all; they keep their '
                        'identity', faceless)
    if near_duplicates:
        prints, skipped = fingerprint_videos([item.entry for item in items])
        warn_skipped(skipped, source)
        groups.join((items[pair.first].entry.identity, items[pair.second].entry.identity)
                    for pair in find_near_duplicates(prints))
    splits = split_identities((groups.name(item.entry.identity) for item in items), fractions, seed=seed)
    return [_row(item, groups.name(item.entry.identity), splits, Path(folder)) for item in items]


def count_splits(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Videos and identities of each split."""
    videos = Counter(row['split'] for row in rows)
    people = Counter(split for split, _ in {(row['split'], row['identity']) for row in rows})
    return {split: (videos[split], people[split]) for split in videos}


def _row(item: DataItem, identity: str, splits: dict[str, str], folder: Path) -> dict[str, Any]:
    row = item.manifest_row(folder, identity=identity, split=splits[identity])
    if identity != item.entry.identity:
        row.setdefault('original_identity', item.entry.identity)
    return row


class _Groups:
    """Sets of names that were joined (union-find); a set is named after its first member."""

    def __init__(self, names: Any) -> None:
        self._order = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self._parent = {name: name for name in self._order}

    def name(self, member: str) -> str:
        while self._parent[member] != member:
            self._parent[member] = self._parent[self._parent[member]]
            member = self._parent[member]
        return member

    def join(self, pairs: Any) -> None:
        for pair in pairs:
            first, second = sorted(map(self.name, pair), key=self._order.__getitem__)
            self._parent[second] = first
