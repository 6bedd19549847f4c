"""The journal of a preparation: what became of each clip, so that an interrupted run is continued."""

import json
from pathlib import Path
from typing import Any

from leokit.preparation.clip_record import ClipRecord, Dropped
from leokit.utils.files import clear_write_errors

JOURNAL_FILE = 'preparation.jsonl'
RETRIED = ('unreadable',)  # reasons that a new copy of the video may remove
Results = list[dict[str, Any] | Dropped]


class Journal:
    """Results by clip, appended to a file of JSON lines as they come; the last line may be cut off.

    Args:
        folder (Path): Folder of the clips.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / JOURNAL_FILE
        self._known: dict[str, dict[str, Any]] = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding='utf-8', errors='replace').split('\n'):
                try:
                    entry = json.loads(line)
                    self._known[entry['key']] = entry
                except (ValueError, KeyError, TypeError):
                    continue  # the end of an interrupted run

    def results(self, record: ClipRecord, source: Path) -> Results | None:
        """The results of a clip that need not be written again; None if it has to be."""
        entry = self._known.get(_key(record))
        if entry is None or entry['source'] != _stamp(source):
            return None
        rows = [dict(row, file=self.folder / row['file']) for row in entry['rows']]
        dropped = [Dropped(*values) for values in entry['dropped']]
        if any(drop.reason in RETRIED for drop in dropped):
            return None
        if any(not row['file'].is_file() or row['file'].stat().st_size != row['bytes'] for row in rows):
            return None
        return [*rows, *dropped]

    def append(self, record: ClipRecord, source: Path, results: Results) -> None:
        """Record what became of a clip."""
        rows = [row for row in results if isinstance(row, dict)]
        entry = dict(key=_key(record), source=_stamp(source),
                     dropped=[result for result in results if isinstance(result, Dropped)],
                     rows=[dict(row, file=row['file'].relative_to(self.folder).as_posix(),
                                bytes=row['file'].stat().st_size) for row in rows])
        self._known[entry['key']] = entry
        with clear_write_errors(self.path), self.path.open('a', encoding='utf-8') as file:
            file.write(json.dumps(entry, ensure_ascii=False) + '\n')


def _key(record: ClipRecord) -> str:
    """What determines a clip, beside the settings of the folder."""
    return json.dumps([record.name, record.video, record.times, record.box,
                       None if record.mask is None else _stamp(record.mask)], default=str)


def _stamp(path: Path) -> list[Any]:
    """Name, size and time of a file, by which another copy is noticed."""
    try:
        status = path.stat()
    except OSError:
        return [path.name, 0, 0]
    return [path.name, status.st_size, status.st_mtime_ns]
