"""The videos of a dataset with all that its manifest says about them."""

import os
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from leokit.utils import UserError
from leokit.utils.files import clear_write_errors, local_path
from leokit.video.manifest import CSV_COLUMNS, find_manifest, read_rows, write_manifest
from leokit.video.video_entry import VideoEntry
from leokit.video.video_list import VIDEO_SUFFIXES, find_videos

LABELS = ('identity', 'split', 'category')


class DataItem(NamedTuple):
    """A video, and its entry in the manifest (empty without one)."""

    entry: VideoEntry
    row: dict[str, Any]

    def manifest_row(self, folder: str | Path, **changes: Any) -> dict[str, Any]:
        """The entry for a manifest in another folder: all keys are kept, ``file`` leads to the same video."""
        path, folder = os.path.abspath(self.entry.path), os.path.abspath(folder)
        inside = os.path.commonpath([path, folder]) == folder
        labels = {key: getattr(self.entry, key) for key in LABELS if getattr(self.entry, key) is not None}
        row = {**self.row, **labels, 'name': self.entry.name,
               'file': Path(os.path.relpath(path, folder) if inside else path).as_posix(), **changes}
        return {key: row[key] for key in dict.fromkeys(['file', 'name', *LABELS, *row]) if row.get(key) is not None}


def read_items(source: str | Path) -> list[DataItem]:
    """The videos of a manifest, a folder with a manifest, or a folder of videos, in order; they are not opened."""
    source = local_path(source)
    is_manifest = source.is_file() and source.suffix.lower() not in VIDEO_SUFFIXES
    manifest = source if is_manifest else find_manifest(source)
    if manifest is None:
        return [DataItem(entry, {}) for entry in find_videos(source)]
    items = [DataItem(entry, dict(row)) for entry, row in read_rows(manifest)]
    if not items:
        raise UserError(f'the manifest {manifest} names no videos')
    return items


def check_output(path: Path, overwrite: bool) -> None:
    """Refuse to write a manifest over another file without ``overwrite``, or with an unknown ending."""
    if path.suffix.lower() not in ('.json', '.jsonl', '.csv'):
        raise UserError(f'the manifest {path} must end in .json, .jsonl or .csv')
    if path.exists() and not overwrite:
        raise UserError(f'{path} exists already; pass --overwrite to replace it, or another --out')


def save_rows(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write a manifest; a sentence about the keys that its format cannot hold, empty if there are none."""
    with clear_write_errors(path):
        write_manifest(path, rows)
    lost = sorted({key for row in rows for key in row} - set(CSV_COLUMNS)) if path.suffix.lower() == '.csv' else []
    return f'{path} has no columns for {", ".join(lost)}; write .json or .jsonl to keep them' if lost else ''
