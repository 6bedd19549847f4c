"""Iterators that run ahead of their consumer in threads."""

from collections import deque
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Iterable, Iterator, NamedTuple, TypeVar
from weakref import finalize

from leokit.utils.thread_switching import frequent_switches

Item = TypeVar('Item')

POLL_SECONDS = 0.1  # interval at which a blocked thread checks whether it should stop
_END = object()


class _Failure:
    """An exception on its way from the thread to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Prefetcher(Iterator[Item]):
    """Iterate over ``source`` in a background thread, at most ``depth`` items ahead.

    The thread starts at construction, so several prefetchers work at the same time. Items keep their order; an
    exception of the source is raised where the failing item would have come. Only one consumer may use it. The thread
    ends with the source, with :meth:`close`, and when nobody refers to the prefetcher any more.

    Args:
        source (Iterable): Iterated by the thread only.
        depth (int): Number of finished items that may wait.
    """

    def __init__(self, source: Iterable[Item], depth: int = 2) -> None:
        if depth < 1:
            raise ValueError(f'depth must be at least 1, got {depth}')
        self._queue: Queue = Queue(maxsize=depth)
        self._stop = Event()
        self._finished = False
        # without a reference to the prefetcher, which would keep an abandoned one alive
        self._thread = Thread(target=_work, args=(source, self._queue, self._stop), daemon=True)
        self._thread.start()
        finalize(self, self._stop.set)

    def __iter__(self) -> 'Prefetcher[Item]':
        return self

    def __next__(self) -> Item:
        if self._finished:
            raise StopIteration
        item = self._queue.get()
        if item is _END:
            self.close()
            raise StopIteration
        if isinstance(item, _Failure):
            self.close()
            raise item.error
        return item

    def close(self) -> None:
        """Stop the thread and drop waiting items; safe to call twice."""
        self._finished = True
        self._stop.set()
        while self._thread.is_alive():
            try:
                self._queue.get_nowait()
            except Empty:
                pass
            self._thread.join(timeout=POLL_SECONDS)

    def __enter__(self) -> 'Prefetcher[Item]':
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _work(source: Iterable, queue: Queue, stop: Event) -> None:
    try:
        with frequent_switches():  # the consumer may compute in Python meanwhile
            for item in source:
                if not _put(item, queue, stop):
                    return
        _put(_END, queue, stop)
    except BaseException as error:  # also KeyboardInterrupt and friends: the consumer decides
        _put(_Failure(error), queue, stop)


def _put(item: object, queue: Queue, stop: Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(item, timeout=POLL_SECONDS)
            return True
        except Full:
            continue
    return False


class Ended(NamedTuple):
    """The end of a source.

    Attributes:
        error (Exception | None): What ended it early.
    """

    error: Exception | None = None


def prefetch_in_turn(sources: Iterable[Iterable[Item]], streams: int,
                     depth: int = 2) -> Iterator[tuple[int, Item | Ended]]:
    """Iterate over several sources at the same time, one item of each in turn; each runs ahead in its own thread.

    All threads work until the last sources, however long a source is. The order of the items depends on the lengths of
    the sources and on ``streams`` only, not on their speed.

    Args:
        sources (Iterable[Iterable]): The iterators, each for a :class:`Prefetcher`.
        streams (int): Number of sources at the same time; when one ends, the next begins.
        depth (int): Finished items of each that may wait.

    Yields:
        tuple: Number of a source, and its next item or :class:`Ended`; an error of a source ends only that source.
    """
    waiting = enumerate(sources)
    running: deque[tuple[int, Prefetcher[Item]]] = deque()
    try:
        while True:
            while len(running) < streams and (following := next(waiting, None)) is not None:
                running.append((following[0], Prefetcher(following[1], depth)))
            if not running:
                return
            number, prefetcher = running[0]
            try:
                item: Item | Ended = next(prefetcher)
            except StopIteration:
                item = Ended()
            except Exception as error:  # the consumer decides what it means
                item = Ended(error)
            if isinstance(item, Ended):
                running.popleft()
            else:
                running.rotate(-1)
            yield number, item
    finally:
        for _, prefetcher in running:
            prefetcher.close()
