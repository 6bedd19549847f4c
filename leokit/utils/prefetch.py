"""Iterators that run ahead of their consumer in threads."""

from collections import deque
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Iterable, Iterator, TypeVar

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
    exception of the source is raised where the failing item would have come. Only one consumer may use it.

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
        self._thread = Thread(target=self._work, args=(source,), daemon=True)
        self._thread.start()

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

    def _work(self, source: Iterable[Item]) -> None:
        try:
            for item in source:
                if not self._put(item):
                    return
            self._put(_END)
        except BaseException as error:  # also KeyboardInterrupt and friends: the consumer decides
            self._put(_Failure(error))

    def _put(self, item: object) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=POLL_SECONDS)
                return True
            except Full:
                continue
        return False


def prefetch_streams(sources: Iterable[Iterable[Item]], streams: int, depth: int = 2) -> Iterator[Prefetcher[Item]]:
    """Run several iterators ahead at the same time.

    Args:
        sources (Iterable[Iterable]): The iterators, each for a :class:`Prefetcher`.
        streams (int): Number of iterators that run at the same time, including the one in use.
        depth (int): Finished items of each that may wait.

    Yields:
        Prefetcher: One per source, in order; the consumer exhausts or closes it before it asks for the next.
    """
    running: deque[Prefetcher[Item]] = deque()
    try:
        for source in sources:
            running.append(Prefetcher(source, depth))
            if len(running) == streams:
                yield running[0]
                running.popleft()
        while running:
            yield running[0]
            running.popleft()
    finally:
        for prefetcher in running:
            prefetcher.close()
