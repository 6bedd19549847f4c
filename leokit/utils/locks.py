"""Locks between processes, which the operating system releases when their owner ends in any way."""

import os
from pathlib import Path


class FileLock:
    """An advisory lock on a file.

    On file systems without locks every attempt succeeds.

    Args:
        path (str | Path): The lock file, which exists while the lock is held.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Try to take the lock without waiting; True if this object holds it (or there are no locks)."""
        try:
            import fcntl
        except ImportError:  # not a Unix system
            return True
        while self._descriptor is None:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:  # no locks on this file system
                os.close(descriptor)
                return True
            if self._is_current(descriptor):
                self._descriptor = descriptor
            else:  # its owner removed the file between opening and locking it
                os.close(descriptor)
        return True

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.fstat(descriptor).st_ino == os.stat(self.path).st_ino
        except FileNotFoundError:
            return False
