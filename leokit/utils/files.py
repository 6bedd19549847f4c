"""Atomic writing of files: write to a temporary file in the same folder, flush it to disk, rename it."""

import hashlib
import json
import math
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from leokit.utils.errors import FULL_DISK, UserError

BLOCK_BYTES = 2**20  # read at a time


def local_path(path: str | Path) -> Path:
    """The path of a local file or folder, with ``~`` expanded; a :class:`UserError` for an address such as https://."""
    text = os.fspath(path)
    if not text:
        raise UserError('the path is empty; name a file or a folder')
    if re.match(r'[a-z][a-z0-9+.-]+:/', text, re.IGNORECASE) and not os.path.exists(text):
        scheme = text.split(':', 1)[0]
        raise UserError(f'{text} is an address ({scheme}:), not a local file; only local files are read and written')
    return Path(os.path.expanduser(text))


def part_path(path: str | Path) -> Path:
    """The temporary file for ``path``: ``clip.mp4`` -> ``clip.part.mp4`` in the same folder."""
    path = Path(path)
    return path.with_name(f'{path.stem}.part{path.suffix}')


def sync(path: str | Path) -> None:
    """Flush a file, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str | Path) -> None:
    """Delete a file or a folder, if it exists."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_folder(path: str | Path) -> list[Path]:
    """Create a folder and its missing parents; those that were created, the innermost first."""
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    return missing


def remove_empty(folders: Iterable[Path]) -> None:
    """Delete folders, the innermost first, up to the first one with something in it."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


@contextmanager
def clear_write_errors(path: str | Path) -> Iterator[None]:
    """Turn errors of the operating system in a block that writes ``path`` into :class:`UserError`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK:
            raise UserError(f'the disk is full (or a quota is reached) while writing {path}; free some space or '
                            'choose another folder') from error
        raise UserError(f'cannot write {path}: {error.strerror or error}; choose another name or folder') from error


def replace(part: str | Path, path: str | Path) -> None:
    """Flush a complete file, or a folder with its files, to disk, then rename it to ``path``.

    Args:
        part (str | Path): The complete file or folder.
        path (str | Path): Its final name, on the same disk; an existing folder there must be empty.
    """
    part = Path(part)
    if part.is_dir():
        for entry in part.iterdir():
            sync(entry)
    sync(part)
    os.replace(part, path)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path; rename it to ``path`` when the block ends, delete it when the block raises.

    Missing parent folders are created, and deleted again with the file. The temporary file must exist at the end of the
    block.
    """
    path = Path(path)
    made = make_folder(path.parent)
    part = part_path(path)
    try:
        yield part
        replace(part, path)
    except BaseException:
        remove(part)
        remove_empty(made)
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a whole file atomically."""
    with atomic_path(path) as part:
        part.write_bytes(content)


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON atomically; numbers that are not finite become null, which JSON requires."""
    with clear_write_errors(path):
        write_bytes(path, (json.dumps(without_nan(content), indent=1, allow_nan=False) + '\n').encode())


def without_nan(value: Any) -> Any:
    """Copies of mappings and lists with None instead of numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open('rb') as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
