"""Iterate over several sources in processes, whose items arrive through shared memory; calls in processes.

Threads that decode video wait for the interpreter lock several times per frame, so that more than a handful of them are
hardly faster (:func:`~leokit.utils.prefetch.prefetch_in_turn`). The processes are those of PyTorch's ``DataLoader``; in
each, operators of PyTorch have one thread.
"""

import mmap
import pickle
import shutil
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from copy import copy
from multiprocessing import current_process
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from leokit.utils.errors import UserError
from leokit.utils.prefetch import Ended
from leokit.utils.thread_map import thread_map

SHARED_MEMORY = '/dev/shm'
MIN_PROCESSES = 5  # threads are as fast below
ENDED = ('exited unexpectedly', 'killed by signal')  # in PyTorch's errors of a worker


def worth_processes(sources: int, workers: int, item_bytes: int, depth: int) -> bool:
    """Whether processes are faster than threads, and possible: there is shared memory for their items.

    Args:
        sources (int): Number of sources.
        workers (int): Sources at the same time.
        item_bytes (int): Size of an item.
        depth (int): Finished items of each worker that may wait.
    """
    if not sys.platform.startswith('linux') or min(sources, workers) < MIN_PROCESSES or current_process().daemon:
        return False  # a daemonic process, such as one of a data loader, may have no processes of its own
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return False
    return free > 2 * workers * (depth + 1) * item_bytes  # containers have 64 MB by default


def shared_block(size: int) -> np.ndarray | None:
    """So many bytes of memory, shared with processes that start later; None where the system has none to give.

    It is zero at first, is freed with the last array that refers to it, and does not count as a file in ``/dev/shm``.
    """
    try:
        return np.frombuffer(mmap.mmap(-1, size), np.uint8)
    except OSError:
        return None


def process_in_turn(open_source: Callable[[int], Iterable[np.ndarray]], sources: int, workers: int,
                    depth: int = 2, option: str = '--workers') -> Iterator[tuple[int, np.ndarray | Ended]]:
    """Like :func:`~leokit.utils.prefetch.prefetch_in_turn`, in processes.

    Process k iterates over the sources k, k + workers, ...; one item of each process in turn, so the order depends on
    the lengths of the sources and on ``workers`` only.

    Args:
        open_source (Callable): Makes a source from its number, in its process; its items are arrays.
        sources (int): Number of sources.
        workers (int): Number of processes.
        depth (int): Finished items of each process that may wait.
        option (str): What the user sets ``workers`` with, for messages.

    Yields:
        tuple: Number of a source, and its next item or :class:`~leokit.utils.prefetch.Ended`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # of more workers than cores
        items = iter(DataLoader(_Sources(open_source, sources), batch_size=None, num_workers=workers,
                                prefetch_factor=depth, multiprocessing_context='fork',
                                worker_init_fn=_prepare_worker, collate_fn=_unchanged))
    try:
        for number, item in items:
            yield number, item.numpy() if isinstance(item, torch.Tensor) else item
    except (RuntimeError, ConnectionError, EOFError) as error:  # the latter two: killed with an item on its way
        if isinstance(error, RuntimeError) and not any(text in str(error) for text in ENDED):
            raise
        raise UserError('a worker process has ended, most likely for lack of memory; use fewer workers '
                        f'({option})') from error
    finally:
        del items  # ends the processes


def parallel_calls(function: Callable[[int], object], calls: int, workers: int, *, in_processes: bool,
                   option: str = '--workers') -> Generator[tuple[int, Exception | None], None, None]:
    """Call a function with 0, 1, ... in threads or in processes.

    Processes divide the calls as the sources of :func:`process_in_turn`, but none waits for another.

    Args:
        function (Callable): Writes its results to memory, for processes to that of :func:`shared_block`; what it
            returns is dropped.
        calls (int): Number of calls.
        workers (int): Number of threads or processes.
        in_processes (bool): In processes (:func:`worth_processes`).
        option (str): What the user sets ``workers`` with, for messages.

    Yields:
        tuple: Number of a finished call, and the error that it raised or None.
    """
    def attempt(number: int) -> Exception | None:
        try:
            function(number)
        except Exception as error:  # the consumer decides what it means
            return error
        return None

    def source(number: int) -> Iterable[np.ndarray]:
        function(number)
        return ()

    if in_processes:
        workers = min(workers, calls)
        for number, ended in process_in_turn(source, calls, workers, depth=-(-calls // workers), option=option):
            if isinstance(ended, Ended):  # there are no items
                yield number, ended.error
    else:
        yield from zip(range(calls), thread_map(attempt, range(calls), workers))


class _Sources(IterableDataset):
    """The sources of one process, one after the other."""

    def __init__(self, open_source: Callable[[int], Iterable[np.ndarray]], sources: int) -> None:
        self._open = open_source
        self._sources = sources

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        worker = get_worker_info()
        for number in range(worker.id, self._sources, worker.num_workers):
            error = None
            try:
                for item in self._open(number):
                    yield number, _shared(item)
            except Exception as raised:  # the consumer decides what it means
                error = raised
            yield number, Ended(_transferable(error))


def _shared(item: np.ndarray) -> torch.Tensor:
    """The array in shared memory; here, because the loader would wait for ever for what fails on its way."""
    try:
        return torch.from_numpy(item).share_memory_()
    except RuntimeError as error:
        raise UserError(f'there is no room for decoded frames in {SHARED_MEMORY} ({error}); enlarge it, or use '
                        f'{MIN_PROCESSES - 1} workers or fewer (--workers)') from error


def _transferable(error: Exception | None) -> Exception | None:
    """The error, or its text where it would not arrive: the consumer would wait for it for ever."""
    try:
        pickle.dumps(error)
        copy(error)  # made anew from its arguments, as after its way
        return error
    except Exception:
        return RuntimeError(f'{type(error).__name__}: {error}')


def _unchanged(item: Any) -> Any:
    return item


def _prepare_worker(worker: int) -> None:
    cv2.setNumThreads(0)  # the processes are enough
