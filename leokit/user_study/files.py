"""The text files of a study: written atomically, and JSON read back only if it says what it is."""

import json
from pathlib import Path
from typing import Any

from leokit.utils import UserError
from leokit.utils.files import write_bytes


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically.

    Args:
        path (str | Path): Where to; missing folders are made.
        text (str): The content.

    Raises:
        UserError: If the file cannot be written there.
    """
    try:
        write_bytes(path, text.encode())
    except OSError as error:
        raise UserError(f'the file {path} cannot be written ({error}); choose another place') from error


def read_record(path: str | Path, record_format: str, version: int) -> dict[str, Any]:
    """Read a JSON file that says what it is.

    Args:
        path (str | Path): The file.
        record_format (str): Value that its key ``format`` must have.
        version (int): Value that its key ``version`` must have.

    Returns:
        dict: The content.

    Raises:
        UserError: If the file is missing, is no JSON, or is something else.
    """
    try:
        record = json.loads(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise UserError(f'the file {path} cannot be read ({error.strerror}); check the path') from error
    except ValueError as error:
        raise UserError(f'the file {path} is no JSON ({error}); ask for it again') from error
    if not isinstance(record, dict) or record.get('format') != record_format:
        raise UserError(f'the file {path} is no file of {record_format}; pass the right one')
    if record.get('version') != version:
        raise UserError(f'the file {path} has version {record.get("version")!r} of {record_format}, this program '
                        f'reads version {version}; use the leokit that made it')
    return record
