"""Writing files so that nobody ever sees half of one: write beside, flush to disk, rename."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


def part_path(path: str | Path) -> Path:
    """Where the unfinished version of ``path`` is written: ``clip.mp4`` -> ``clip.part.mp4``, same folder."""
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
    """Delete a file or a folder; nothing happens if there is none."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; rename it when the block ends, delete it when the block raises.

    The parent folder is made if it is missing.

    Args:
        path (str | Path): The file that is to exist, complete, afterwards.

    Yields:
        Path: The file to write; it must exist at the end of the block.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    try:
        yield part
        sync(part)
        os.replace(part, path)
    except BaseException:
        remove(part)
        raise


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a whole file atomically.

    Args:
        path (str | Path): The file.
        content (bytes): All of it.
    """
    with atomic_path(path) as part:
        part.write_bytes(content)
