"""Locks between processes that vanish with their owner, however it ends."""

import os
from pathlib import Path


class FileLock:
    """An advisory lock on a file; the operating system releases it when the process dies.

    Where the file system knows no locks, every attempt succeeds: then nothing is worse than without locks.

    Args:
        path (str | Path): The lock file. It is made when the lock is taken and removed when it is given back.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free, without waiting.

        Returns:
            bool: Whether this object holds the lock now.
        """
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
        """Give the lock back; nothing happens if it is not held."""
        if self._descriptor is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.fstat(descriptor).st_ino == os.stat(self.path).st_ino
        except FileNotFoundError:
            return False
