"""Manifests: lists of videos with their labels.

A manifest is a JSON list, a file of JSON lines or a CSV table. Each entry has ``file`` (relative to the manifest's
folder, or absolute) and may have ``name``, ``identity``, ``split``, ``category``, ``frames`` and ``fps``; other keys
are ignored. Frames and rate are checked against the file itself.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any, Iterable

from leokit.utils import UserError
from leokit.utils.files import write_bytes
from leokit.video.video_entry import VideoEntry

MANIFEST_NAMES = ('manifest.json', 'manifest.jsonl', 'manifest.csv')
CSV_COLUMNS = ('file', 'name', 'identity', 'split', 'category', 'frames', 'fps')


def find_manifest(folder: str | Path) -> Path | None:
    """The manifest in a folder, or None."""
    return next((Path(folder) / name for name in MANIFEST_NAMES if (Path(folder) / name).is_file()), None)


def read_manifest(path: str | Path) -> list[VideoEntry]:
    """Read a ``.json``, ``.jsonl`` or ``.csv`` manifest in the order of the file; the videos are not opened."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f'the manifest {path} does not exist; check the path')
    try:
        rows = _parse(path)
    except (ValueError, csv.Error) as error:  # JSON and Unicode errors are ValueErrors
        raise UserError(f'the manifest {path} cannot be read ({error}); it must be a JSON list, JSON lines or a CSV '
                        'table') from error
    entries = [_entry(row, number, path) for number, row in enumerate(rows, start=1)]
    names: dict[str, VideoEntry] = {}
    for entry in entries:
        if entry.name in names:
            raise UserError(f'the manifest {path} has two videos named {entry.name!r} ({names[entry.name].path} and '
                            f'{entry.path}); give each its own name')
        names[entry.name] = entry
    return entries


def write_manifest(path: str | Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write a manifest atomically; the suffix of ``path`` decides the format."""
    rows = list(rows)
    suffix = Path(path).suffix.lower()
    if suffix == '.json':
        text = json.dumps(rows, indent=1, ensure_ascii=False) + '\n'
    elif suffix == '.jsonl':
        text = ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows)
    elif suffix == '.csv':
        buffer = io.StringIO(newline='')
        table = csv.DictWriter(buffer, CSV_COLUMNS, extrasaction='ignore')
        table.writeheader()
        table.writerows(rows)
        text = buffer.getvalue()
    else:
        raise UserError(f'the manifest {path} must end in .json, .jsonl or .csv')
    write_bytes(path, text.encode())


def _parse(path: Path) -> list[Any]:
    text = path.read_text(encoding='utf-8-sig')
    suffix = path.suffix.lower()
    if suffix == '.csv':
        return [{key: value for key, value in row.items() if key and value not in ('', None)}
                for row in csv.DictReader(io.StringIO(text))]
    if suffix == '.jsonl':
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if suffix != '.json':
        raise ValueError(f'its name ends in {suffix or "nothing"}')
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError('it is not a list')
    return rows


def _entry(row: Any, number: int, path: Path) -> VideoEntry:
    if not isinstance(row, dict) or not isinstance(row.get('file'), str) or not row['file']:
        raise UserError(f'entry {number} of the manifest {path} has no "file"; every entry must name its video')
    file = row['file']
    name = str(row.get('name') or Path(file).with_suffix('').as_posix())
    try:
        frames, fps = int(row.get('frames') or 0), float(row.get('fps') or 0)
    except (TypeError, ValueError) as error:
        raise UserError(f'entry {number} of the manifest {path} ({file}): frames and fps must be numbers') from error
    return VideoEntry(
        name=name, path=path.parent / file, identity=_text(row.get('identity')) or name,
        split=_text(row.get('split')), category=_text(row.get('category')), frames=frames, fps=fps)


def _text(value: Any) -> str | None:
    return None if value in (None, '') else str(value)
