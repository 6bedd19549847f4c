"""Threads for work that leaves Python: decoding, resizing, waiting for the disk."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, Iterator, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')

MAX_WORKERS = 16


def worker_count(limit: int = MAX_WORKERS) -> int:
    """How many threads suit the cores that this process may use, at most ``limit``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, min(limit, cores))


def thread_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Apply a function in threads; results come in the order of the items.

    When the loop over the results ends early, by an error or an interrupt, what has not begun is not begun any more.

    Args:
        function (Callable): What to do; an error in it is raised where its result would have come.
        items (Iterable): Its arguments.
        workers (int): Number of threads.

    Yields:
        Result: One result for each item.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
