"""Running ahead in a thread changes neither order nor errors."""

import threading
import time

import pytest

from leokit.utils.prefetch import Prefetcher, prefetch_streams


def test_keeps_order_and_ends():
    assert list(Prefetcher(iter(range(50)), depth=3)) == list(range(50))


def test_error_arrives_in_its_place():
    def source():
        yield 1
        raise OSError('broken file')

    prefetcher = Prefetcher(source())
    assert next(prefetcher) == 1
    with pytest.raises(OSError, match='broken file'):
        next(prefetcher)
    assert list(prefetcher) == []


def test_the_depth_bounds_the_items_ahead():
    made = []

    def source():
        for number in range(100):
            made.append(number)
            yield number

    with Prefetcher(source(), depth=2) as prefetcher:
        assert next(prefetcher) == 0
        time.sleep(0.3)
        assert len(made) <= 4  # one taken, two waiting, one in hand


def test_close_ends_the_thread_and_the_source():
    closed = threading.Event()

    def source():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    prefetcher = Prefetcher(source(), depth=1)
    next(prefetcher)
    prefetcher.close()
    assert threading.active_count() == before
    assert closed.wait(timeout=2)


def test_depth_is_checked():
    with pytest.raises(ValueError, match='depth'):
        Prefetcher([], depth=0)


@pytest.mark.parametrize('streams', [1, 3, 20])
def test_streams_run_concurrently_and_keep_their_order(streams):
    opened = []

    def source(number):
        opened.append(number)
        yield from range(10 * number, 10 * number + 3)

    items = []
    for number, prefetcher in enumerate(prefetch_streams(map(source, range(8)), streams)):
        time.sleep(0.05)
        assert opened == list(range(min(8, number + streams)))
        items.append(list(prefetcher))
    assert items == [[10 * number + step for step in range(3)] for number in range(8)]


def test_leaving_the_streams_closes_them():
    before = threading.active_count()
    streams = prefetch_streams((iter(int, 1) for _ in range(9)), 3)
    next(next(streams))
    assert threading.active_count() == before + 3
    streams.close()
    assert threading.active_count() == before
