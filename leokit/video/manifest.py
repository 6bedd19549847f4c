"""Manifests: lists of videos with their labels.

A manifest is a JSON list, a file of JSON lines or a CSV table. Each entry has ``file`` (relative to the manifest's
folder, or absolute) and may have ``name``, ``identity``, ``split``, ``category``, ``frames``, ``fps`` and ``sha256``
(of the file); other keys are ignored. Frames and rate are checked against the file itself. CSV tables may have commas,
semicolons or tabs, blanks around values, and be UTF-8 or UTF-16; a missing label (empty, NaN) is none.
"""

import codecs
import csv
import io
import json
import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Iterable

from leokit.utils import UserError
from leokit.utils.files import write_bytes
from leokit.video.frame_rate import MAX_FPS, MIN_FPS
from leokit.video.video_entry import VideoEntry

END_OF_TABLE = 'end of the table'  # appended to find quotes that are not closed
MANIFEST_NAMES = ('manifest.json', 'manifest.jsonl', 'manifest.csv')
DELIMITERS = ',;\t'  # of CSV tables
MISSING = ('', 'nan', 'NaN', 'NAN', '<NA>')  # texts that stand for no label
# Names of splits in any case; others are kept as they are.
SPLIT_NAMES = {'train': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
MAX_FRAMES = 10**9  # beyond this a number is a mistake
MAX_SHOWN = 200  # characters of a file name in a message
CSV_COLUMNS = ('file', 'name', 'identity', 'split', 'category', 'frames', 'fps')


def find_manifest(folder: str | Path) -> Path | None:
    """The manifest in a folder, or None."""
    return next((Path(folder) / name for name in MANIFEST_NAMES if (Path(folder) / name).is_file()), None)


def read_manifest(path: str | Path) -> list[VideoEntry]:
    """Read a ``.json``, ``.jsonl`` or ``.csv`` manifest in the order of the file; the videos are not opened."""
    return [entry for entry, _ in read_rows(path)]


def read_rows(path: str | Path) -> list[tuple[VideoEntry, dict[str, Any]]]:
    """The videos of a manifest like :func:`read_manifest`, each with all keys of its entry."""
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
    files: dict[str, VideoEntry] = {}
    for entry in entries:
        if entry.name in names:
            raise UserError(f'the manifest {path} has two videos named {entry.name!r} ({names[entry.name].path} and '
                            f'{entry.path}); give each its own name')
        names[entry.name] = entry
        other = files.setdefault(os.path.normpath(entry.path), entry)  # under another spelling
        if other.split != entry.split:
            raise UserError(f'the manifest {path} has the file {entry.path} in two splits: {other.name!r} in '
                            f'{other.split}, {entry.name!r} in {entry.split}; keep one of them')
    return list(zip(entries, rows))


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
    suffix = path.suffix.lower()
    if suffix not in ('.csv', '.json', '.jsonl'):
        raise ValueError(f'its name ends in {suffix or "nothing"}')
    text = _decode(path.read_bytes())
    if suffix == '.csv':
        return _parse_csv(text)
    try:
        if suffix == '.jsonl':  # not splitlines, which also splits at characters within strings
            return [json.loads(line) for line in text.split('\n') if line.strip()]
        rows = json.loads(text)
    except RecursionError as error:
        raise ValueError('it is nested too deeply') from error
    if not isinstance(rows, list):
        raise ValueError('it is not a list')
    return rows


def _decode(content: bytes) -> str:
    """UTF-8, or UTF-16 with a byte order mark, as spreadsheets save it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode('utf-16')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b'\n') + 1
        raise ValueError(f'line {line} is not UTF-8; save it with that encoding') from error


def _parse_csv(text: str) -> list[dict[str, str]]:
    """The rows of a table with commas, semicolons or tabs; blanks around values do not count."""
    head, _, _ = text.lstrip('\r\n').partition('\n')
    delimiter = next((mark for mark in DELIMITERS if 'file' in _cells(head, mark)), None)
    if delimiter is None:
        raise ValueError(f'its first line {head.strip()[:80]!r} has no "file" column, separated by commas, semicolons '
                         'or tabs')
    (_, columns), *records = _records(text, delimiter)
    rows = []
    for line, cells in records:
        if any(cells[len(columns):]):
            raise ValueError(f'line {line} has {len(cells)} values for {len(columns)} columns; put quotes around '
                             f'values with {delimiter!r}')
        if any(cells):
            rows.append({key: value for key, value in zip(columns, cells) if key and value})
    return rows


def _records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Line and cells of each record of a table; a quote that is not closed would hide the records after it."""
    lines = io.StringIO(text.lstrip('\r\n') + f'\n{END_OF_TABLE}', newline='')
    table = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    records, line = [], 1
    for cells in table:
        records.append((line, [cell.strip() for cell in cells]))
        line = table.line_num + 1
    line, cells = records.pop()
    if cells != [END_OF_TABLE]:
        raise ValueError(f'line {line} has a quote that is not closed')
    return records


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def _entry(row: Any, number: int, path: Path) -> VideoEntry:
    if not isinstance(row, dict) or not isinstance(row.get('file'), str) or not row['file']:
        raise UserError(f'entry {number} of the manifest {path} has no "file"; every entry must name its video')
    file = row['file']
    try:
        _check_path(file)
        name = str(_text(row.get('name')) or Path(file).with_suffix('').as_posix())
        _check_text('name', name)
        frames = _number('frames', row.get('frames'), MAX_FRAMES)
        fps = _number('fps', row.get('fps'), MAX_FPS)
        if frames != int(frames):
            raise ValueError(f'frames is {row["frames"]!r}, but must be a whole number')
        if 0 < fps < MIN_FPS:
            raise ValueError(f'fps is {row["fps"]!r}, but must be at least {MIN_FPS:g}')
    except ValueError as error:
        raise UserError(f'entry {number} of the manifest {path} ({file[:MAX_SHOWN]}): {error}') from error
    split = _text(row.get('split'))
    return VideoEntry(
        name=name, path=path.parent / file, identity=_text(row.get('identity')) or name,
        split=SPLIT_NAMES.get(split.lower(), split) if split else None, category=_text(row.get('category')),
        frames=int(frames), fps=fps, sha256=_text(row.get('sha256')))


def _check_path(file: str) -> None:
    _check_text('file', file)
    if not Path(file).name:
        raise ValueError('file names no file')


def _check_text(key: str, text: str) -> None:
    try:
        if '\0' in text:
            raise ValueError
        text.encode()
    except ValueError:  # half of a surrogate pair, from a JSON escape
        raise ValueError(f'{key} has characters that no file name can have') from None


def _text(value: Any) -> str | None:
    """A label; None where it is missing, which pandas writes as NaN."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value  # pandas makes floats of integers next to missing ones
    text = '' if value is None else str(value).strip()
    return None if text in MISSING else text


def _number(key: str, value: Any, largest: float) -> float:
    """A number in 0 … largest, 0 if it is missing; text may be a fraction, as in 30000/1001."""
    text = _text(value)
    if text is None:
        return 0.0
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(Fraction(text)) if '/' in text else float(text)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f'{key} is {value!r}, but must be a number') from None
    if not 0 <= number <= largest:  # NaN fails too
        raise ValueError(f'{key} is {value!r}, but must be between 0 and {largest:g}')
    return number
