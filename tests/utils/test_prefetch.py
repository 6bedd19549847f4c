"""Running ahead in a thread changes neither order nor errors."""

import threading
import time

import pytest

from leokit.utils.prefetch import Ended, Prefetcher, prefetch_in_turn


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


@pytest.mark.parametrize('streams, order', [
    (1, 'a0 a1 a2 a. b0 b. c0 c1 c. d.'), (2, 'a0 b0 a1 b. a2 c0 a. c1 d. c.'),
    (9, 'a0 b0 c0 d. a1 b. c1 a2 c. a.')])
def test_sources_take_turns(streams, order):
    lengths = dict(a=3, b=1, c=2, d=0)

    def source(name):
        for number in range(lengths[name]):
            time.sleep(0.02 * (name == 'a'))  # a slow source does not change the order
            yield f'{name}{number}'

    items = prefetch_in_turn(map(source, lengths), streams)
    found = [f'{"abcd"[number]}.' if item == Ended() else item for number, item in items]
    assert ' '.join(found) == order


def test_all_sources_work_while_one_is_consumed():
    """A long source keeps one thread busy, not all of them waiting."""
    done = [0] * 3

    def source(number):
        for _ in range(20):
            time.sleep(0.01)
            done[number] += 1
            yield number

    start = time.perf_counter()
    assert len(list(prefetch_in_turn(map(source, range(3)), 3))) == 3 * 21
    assert time.perf_counter() - start < 0.8 * 3 * 20 * 0.01 and done == [20] * 3


def test_an_error_ends_its_source_only():
    def source(number):
        yield number
        if number == 1:
            raise OSError('broken')

    items = list(prefetch_in_turn(map(source, range(3)), 2))
    assert [number for number, item in items if not isinstance(item, Ended)] == [0, 1, 2]
    errors = {number: item.error for number, item in items if isinstance(item, Ended)}
    assert errors[0] is None and errors[2] is None and str(errors[1]) == 'broken'


def test_leaving_closes_all_sources():
    before = threading.active_count()
    items = prefetch_in_turn((iter(int, 1) for _ in range(9)), 3)
    next(items)
    assert threading.active_count() == before + 3
    items.close()
    assert threading.active_count() == before
