"""Map a function over items in processes, so that a crash of one (in a decoder, by lack of memory) costs one item."""

import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process
from typing import Callable, Iterator, Sequence, TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')

AHEAD = 2  # items a process that are queued; more would only take memory


class Crashed:
    """Result of an item whose process died."""


def process_map(function: Callable[[Item], Result], items: Sequence[Item],
                workers: int) -> Iterator[tuple[int, Result | Crashed]]:
    """Apply a function in processes; an item whose process dies gives :class:`Crashed`.

    When the loop over the results ends early, by an error or an interrupt, items that have not started are cancelled.

    Args:
        function (Callable): Can be pickled; an error in it is raised in the loop.
        items (Sequence): Its arguments; can be pickled.
        workers (int): Number of processes; with 1 the items are handled in this process.

    Yields:
        tuple[int, Result | Crashed]: Number of an item and its result, in the order in which they are ready.
    """
    if workers <= 1:
        yield from ((number, function(item)) for number, item in enumerate(items))
        return
    pending = list(range(len(items)))
    while pending:
        suspects = yield from _run_until_crash(function, items, pending, workers)
        for number in suspects:  # each alone, so that only the one that crashes is lost
            with _pool(1) as pool:
                try:
                    yield number, pool.submit(function, items[number]).result()
                except BrokenProcessPool:
                    yield number, Crashed()


def _run_until_crash(function: Callable[[Item], Result], items: Sequence[Item], pending: list[int],
                     workers: int) -> Iterator[tuple[int, Result]]:
    """Handle the ``pending`` items, which are removed; returns those that were running when a process died."""
    running: dict[Future, int] = {}
    others = set(active_children())
    pool = _pool(workers)
    try:
        while pending or running:
            while pending and len(running) < AHEAD * workers:
                running[pool.submit(function, items[pending[0]])] = pending[0]
                pending.pop(0)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield running.pop(future), result
    except BrokenProcessPool:
        return sorted(running.values())
    except BaseException:  # an error, an interrupt: items take minutes, so they are not waited for
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return []


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context('spawn'), initializer=_start_worker)


def _start_worker() -> None:
    """Leave interrupts to the parent process, and exit with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_with_parent()


def exit_with_parent() -> None:
    """In a process of a pool: end it as soon as its parent has ended, even by a signal that nothing can handle."""
    parent = parent_process()

    def wait_and_exit() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_and_exit, daemon=True).start()
