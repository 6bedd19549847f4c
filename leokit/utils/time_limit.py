"""A time limit for code that cannot be interrupted otherwise, such as a search with a regular expression."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from leokit.utils.errors import UserError


@contextmanager
def time_limit(seconds: float, message: str) -> Iterator[None]:
    """Raise :class:`UserError` if the block takes longer. In other threads than the main one there is no limit."""
    if threading.current_thread() is not threading.main_thread():  # Python handles signals in the main thread only
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise UserError(message)
    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
