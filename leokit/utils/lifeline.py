"""Processes that end with the one that started them, however it ends."""

import os
import signal
import stat
import threading
from typing import Any

VARIABLE = 'LEOKIT_LIFELINE'


class Lifeline:
    """A pipe whose writing end only this process holds: when it dies, even by SIGKILL, its children see the end.

    Children are started with :meth:`options`, and call :func:`stop_with_parent`.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()  # not inheritable

    def options(self, environment: dict[str, str]) -> dict[str, Any]:
        """Arguments of :class:`subprocess.Popen` for a child with these environment variables."""
        return dict(env={**environment, VARIABLE: str(self._reading)}, pass_fds=(self._reading,))

    def close(self) -> None:
        """End the children that still run."""
        for descriptor in (self._writing, self._reading):
            os.close(descriptor)


def stop_with_parent() -> None:
    """Send this process SIGTERM when the owner of its :class:`Lifeline` has died; nothing happens without one."""
    text = os.environ.pop(VARIABLE, '')  # it is not for the children of this process
    if not text.isdecimal():
        return
    try:
        if not stat.S_ISFIFO(os.fstat(int(text)).st_mode):
            return
    except OSError:  # not passed on by a wrapper
        return
    threading.Thread(target=_watch, args=(int(text),), daemon=True).start()


def _watch(descriptor: int) -> None:
    os.read(descriptor, 1)  # nothing is ever written: it returns when the last writing end is closed
    os.kill(os.getpid(), signal.SIGTERM)
