"""Files of a study: written atomically, and JSON read only if its format and version are the expected ones."""

import json
from pathlib import Path
from typing import Any

from leokit.utils import UserError
from leokit.utils.files import write_bytes


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically and create missing folders."""
    try:
        write_bytes(path, text.encode())
    except OSError as error:
        raise UserError(f'the file {path} cannot be written ({error}); choose another path') from error


def read_record(path: str | Path, record_format: str, version: int) -> dict[str, Any]:
    """Read a JSON file whose keys ``format`` and ``version`` must have these values."""
    try:
        record = json.loads(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise UserError(f'the file {path} cannot be read ({error.strerror}); check the path') from error
    except (ValueError, RecursionError) as error:
        raise UserError(f'the file {path} is not JSON ({error}); ask for it again') from error
    if not isinstance(record, dict) or record.get('format') != record_format:
        raise UserError(f'the file {path} is not a file of {record_format}; pass the right one')
    if record.get('version') != version:
        raise UserError(f'the file {path} has version {record.get("version")!r} of {record_format}, this program '
                        f'reads version {version}; use the version of leokit that wrote it')
    return record
