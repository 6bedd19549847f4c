"""One writer at a time in an output folder."""

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from leokit.utils.errors import UserError
from leokit.utils.files import clear_write_errors
from leokit.utils.locks import FileLock


@contextmanager
def one_writer(folder: str | Path, lock_file: str) -> Iterator[None]:
    """Create the folder and hold it for the block; the lock vanishes with the process, however it ends.

    Args:
        folder (str | Path): Output folder.
        lock_file (str): Name of the lock file in it, one for each kind of output.

    Raises:
        UserError: If another process holds the folder, or it cannot be written.
    """
    folder = Path(folder)
    with clear_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / lock_file)
        if not lock.acquire():
            raise UserError(f'another process is writing to {folder}; wait for it or choose another folder')
    try:
        yield
    finally:
        lock.release()
