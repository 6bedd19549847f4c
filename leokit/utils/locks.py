"""Locks between processes, which the operating system releases when their owner ends in any way."""

import os
import time
from pathlib import Path
from weakref import WeakSet

POLL_SECONDS = 0.2


class FileLock:
    """An advisory lock on a file.

    On file systems without locks every attempt succeeds.

    Args:
        path (str | Path): The lock file, which exists while the lock is held.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._descriptor: int | None = None
        _LOCKS.add(self)

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

    @property
    def held(self) -> bool:
        """Whether the lock is really held, not only assumed because there are no locks."""
        return self._descriptor is not None

    def acquire_within(self, seconds: float) -> bool:
        """Take the lock as soon as it is free; False if it is not within that time."""
        end = time.monotonic() + seconds
        while not self.acquire():
            if time.monotonic() > end:
                return False
            time.sleep(POLL_SECONDS)
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

    def _forget(self) -> None:
        """Close the descriptor that a forked process inherited: a data-loading worker may outlive the lock's owner."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_LOCKS: WeakSet[FileLock] = WeakSet()


def _forget_locks() -> None:
    for lock in list(_LOCKS):
        lock._forget()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_forget_locks)
