"""Map a function over items in threads, for work that releases the interpreter lock: decoding, resizing, disk."""

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable, Iterable, Iterator, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')

MAX_WORKERS = 16


def worker_count(limit: int = MAX_WORKERS) -> int:
    """Number of cores that this process may use, at most ``limit``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    return max(1, min(limit, cores))


def thread_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int, *,
               ahead: int | None = None) -> Iterator[Result]:
    """Apply a function in threads; results keep the order of the items.

    When the loop over the results ends early, by an error or an interrupt, calls that have not started are cancelled.

    Args:
        function (Callable): An error in it is raised where its result would have come.
        items (Iterable): Its arguments.
        workers (int): Number of threads.
        ahead (int, optional): Calls that may be running or finished beyond the result in use, so that memory stays
            bounded. Default: all items.

    Yields:
        Result: One result per item.
    """
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if ahead is not None and len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
