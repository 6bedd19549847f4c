"""Runs that fail before their first iteration: one sentence on the console, and no folder that they made."""

import logging
import re
import shutil
from pathlib import Path

from leokit.engine.work_dir_lock import LOCK_FILE

LONG_MESSAGE = 10  # lines; MMEngine logs environment, config and hooks, some 250 lines
LOG_FOLDER = re.compile(r'\d{8}_\d{6}\w*')  # MMEngine names it by the time of the start


class HeldMessages:
    """Holds the long messages of a logger back from the console until the run has started.

    Log files get all messages at once.

    Args:
        logger (Logger): The logger.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._handlers = [handler for handler in logger.handlers if isinstance(handler, logging.StreamHandler)
                          and not isinstance(handler, logging.FileHandler)]
        self._records: list[tuple[logging.Handler, logging.LogRecord]] = []
        self._filters = [(handler, _Hold(handler, self._records)) for handler in self._handlers]
        for handler, hold in self._filters:
            handler.addFilter(hold)

    def release(self) -> None:
        """Write what was held back, and hold nothing back any more."""
        for handler, hold in self._filters:
            handler.removeFilter(hold)
        for handler, record in self._records:
            handler.handle(record)
        self._records.clear()
        self._filters.clear()


class _Hold(logging.Filter):
    def __init__(self, handler: logging.Handler, records: list[tuple[logging.Handler, logging.LogRecord]]) -> None:
        super().__init__()
        self._handler, self._records = handler, records

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING or record.getMessage().count('\n') < LONG_MESSAGE:
            return True
        self._records.append((self._handler, record))
        return False


def first_missing(folder: str | Path) -> Path | None:
    """The outermost of a folder and its parents that does not exist; None if all do."""
    missing = None
    for path in (Path(folder).absolute(), *Path(folder).absolute().parents):
        if path.exists():
            break
        missing = path
    return missing


def remove_failed_start(work_dir: str | Path, made: Path | None) -> None:
    """Remove a work dir that holds nothing but the log of a start that failed, and the parents made for it.

    Args:
        work_dir (str | Path): The work dir.
        made (Path, optional): Result of :func:`first_missing` before it was made; None leaves it as it is.
    """
    work_dir = Path(work_dir).absolute()
    if made is None or not work_dir.is_dir():
        return
    entries = list(work_dir.iterdir())
    if not all(entry.name == LOCK_FILE or LOG_FOLDER.fullmatch(entry.name) for entry in entries):
        return
    shutil.rmtree(work_dir, ignore_errors=True)
    for parent in work_dir.parents:
        if not parent.is_relative_to(made):
            return
        try:
            parent.rmdir()
        except OSError:  # something else is in it by now
            return
