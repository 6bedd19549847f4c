"""Threads of Python that get their turn soon, beside one that computes in Python."""

import os
import sys
from contextlib import contextmanager
from threading import Lock
from typing import Iterator

# Seconds after which Python takes the interpreter from a thread that does not give it up; 5 ms by default. Decoding a
# frame takes it several times, so beside a thread that captures CUDA graphs, a reader would get 3 % of its speed (44 %
# with this value, at which the other thread takes 1.2 times its time).
INTERVAL = 1e-4

_lock = Lock()
_users = 0
_interval_before = 0.0


@contextmanager
def frequent_switches() -> Iterator[None]:
    """Switch between threads at least every :data:`INTERVAL` in the whole process, until the last such block ends."""
    global _users, _interval_before
    with _lock:
        if not _users:
            _interval_before = sys.getswitchinterval()
            sys.setswitchinterval(min(INTERVAL, _interval_before))
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users = max(0, _users - 1)  # already 0 in a child process whose block began before the fork
            if not _users:
                sys.setswitchinterval(_interval_before)


def _start_anew() -> None:
    """In a child process, where the threads with such blocks do not exist, one of which may have held the lock."""
    global _lock, _users
    _lock = Lock()
    if _users:
        _users = 0
        sys.setswitchinterval(_interval_before)


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_start_anew)
