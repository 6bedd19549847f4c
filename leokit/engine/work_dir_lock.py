"""One training at a time in a work dir."""

import logging
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from mmengine.dist import broadcast_object_list, is_main_process

from leokit.utils import UserError
from leokit.utils.locks import FileLock

LOCK_FILE = '.training.lock'
PATIENCE = 15.0  # seconds; a training that was told to stop writes its checkpoint in this time


@contextmanager
def training_lock(work_dir: str | Path, logger: logging.Logger) -> Iterator[None]:
    """Hold the work dir for the block; the lock vanishes with rank 0, however it ends.

    Raises:
        UserError: On all ranks, if another process trains there.
    """
    lock = FileLock(Path(work_dir) / LOCK_FILE)
    problem: list[str | None] = [None]
    if is_main_process():
        try:
            if not lock.acquire():
                logger.info(f'another training runs in {work_dir}; waiting up to {PATIENCE:g} s for its end')
                if not lock.acquire_within(PATIENCE):
                    problem = [f'another training runs in {work_dir}; wait for it, or pass another --work-dir']
        except OSError as error:
            problem = [f'the work dir {work_dir} cannot be written ({error.strerror}); pass another --work-dir']
    broadcast_object_list(problem)
    if problem[0]:
        raise UserError(problem[0])
    try:
        yield
    finally:
        lock.release()
