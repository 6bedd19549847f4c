"""Join the manifests of several datasets."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Sequence

from leokit.data_tools.data_items import DataItem, read_items
from leokit.utils import UserError
from leokit.utils.errors import format_list


def merge_data(sources: Sequence[str | Path], folder: str | Path, *, prefixes: Sequence[str] | None = None,
               same_people: bool = False, categories: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Join datasets; labels and all other keys are kept, ``dataset`` names where a video comes from.

    A file that is in several of them is kept once. Names that collide are refused unless there are prefixes. Identities
    that collide are refused as well, unless there are prefixes (they are different people) or ``same_people``.

    Args:
        sources (Sequence[str | Path]): Folders of videos, or manifests; at least two.
        folder (str | Path): Folder of the new manifest, which paths are relative to.
        prefixes (Sequence[str], optional): A prefix for names and identities of each dataset: ``vox/id10001``.
        same_people (bool): Equal identities of different datasets are one person.
        categories (Sequence[str], optional): For each dataset the category of the videos that have none.

    Returns:
        list[dict]: Rows for :func:`~leokit.video.manifest.write_manifest`.

    Raises:
        UserError: If names or identities collide, or an identity would be in several splits.
    """
    if len(sources) < 2:
        raise UserError('merging needs at least two datasets')
    if prefixes is not None and (len(prefixes) != len(sources) or len(set(prefixes)) != len(sources)):
        raise UserError(f'there must be one prefix for each of the {len(sources)} datasets, all different, got '
                        f'{" ".join(prefixes)}')
    if prefixes is not None and same_people:
        raise UserError('prefixes make people of different datasets different, so they exclude same_people')
    if categories is not None and len(categories) != len(sources):
        raise UserError(f'there must be one category for each of the {len(sources)} datasets, got '
                        f'{" ".join(categories)}')
    parts = [read_items(source) for source in sources]
    labels = list(prefixes) if prefixes else _labels(sources)
    rows, known = [], {}
    nothing = [None] * len(parts)
    for part, label, prefix, category in zip(parts, labels, prefixes or nothing, categories or nothing):
        for item in part:
            place = item.entry.path.resolve()
            if place in known:
                _check_same_labels(known[place], item)
                continue
            known[place] = item
            rows.append(_row(item, Path(folder), label, prefix, category))
    _check_names(rows)
    if not same_people and prefixes is None:
        _check_identities(rows)
    _check_splits(rows)
    return rows


def _row(item: DataItem, folder: Path, label: str, prefix: str | None, category: str | None) -> dict[str, Any]:
    row = item.manifest_row(folder)
    row.setdefault('dataset', label)
    if category is not None:
        row.setdefault('category', category)
    if prefix is not None:
        row['name'] = f'{prefix}/{row["name"]}'
        row['identity'] = f'{prefix}/{row["identity"]}'
    return row


def _labels(sources: Sequence[str | Path]) -> list[str]:
    """Names of the datasets: their folders, or their full paths if these are equal."""
    paths = [Path(source).resolve() for source in sources]
    names = [path.name if path.is_dir() else path.parent.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _check_same_labels(first: DataItem, second: DataItem) -> None:
    for key in ('identity', 'split'):
        values = getattr(first.entry, key), getattr(second.entry, key)
        if values[0] != values[1]:
            raise UserError(f'{first.entry.path} is in two of the datasets, with {key} {values[0]!r} and {values[1]!r}'
                            '; correct one of the manifests')


def _check_names(rows: Sequence[dict[str, Any]]) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row['name']].append(row['dataset'])
    twice = [f'{name} ({", ".join(places)})' for name, places in found.items() if len(places) > 1]
    if twice:
        raise UserError(f'{len(twice)} names are in several of the datasets: {format_list(twice)}; pass --prefixes, '
                        'one for each, to tell them apart')


def _check_identities(rows: Sequence[dict[str, Any]]) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row['identity']].add(row['dataset'])
    twice = [f'{name} ({", ".join(sorted(places))})' for name, places in found.items() if len(places) > 1]
    if twice:
        raise UserError(f'{len(twice)} identities are in several of the datasets: {format_list(twice)}; pass '
                        '--same-people if they are the same people, else --prefixes, one for each')


def _check_splits(rows: Sequence[dict[str, Any]]) -> None:
    """Refuse identities whose splits differ between datasets; those within one are reported by the check."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        if row.get('split') is not None:
            found[row['identity']][row['dataset']].add(row['split'])
    mixed = [f'{name}: {", ".join(sorted(set.union(*parts.values())))}' for name, parts in found.items()
             if any(splits != next(iter(parts.values())) for splits in parts.values())]
    if mixed:
        raise UserError(f'{len(mixed)} identities would be in several splits ({format_list(mixed)}); divide the '
                        'datasets anew with leokit data split, or pass --prefixes if these are different people')
