import threading
import time

import pytest

from leokit.utils.thread_map import thread_map, worker_count


def test_results_come_in_order():
    assert list(thread_map(lambda x: time.sleep(0.01 * (5 - x)) or x * x, range(5), 3)) == [0, 1, 4, 9, 16]


def test_an_error_stops_what_has_not_begun():
    begun = []
    before = set(threading.enumerate())

    def work(item):
        begun.append(item)
        if item == 0:
            raise RuntimeError('no')
        time.sleep(0.02)

    with pytest.raises(RuntimeError):
        list(thread_map(work, range(1000), 2))
    assert len(begun) < 100
    assert not set(threading.enumerate()) - before


def test_leaving_the_loop_stops_what_has_not_begun():
    begun = []
    results = thread_map(lambda item: begun.append(item) or time.sleep(0.01), range(1000), 2)
    next(results)
    results.close()
    assert len(begun) < 100


def test_calls_ahead_are_bounded():
    begun = []
    results = thread_map(lambda item: begun.append(item) or item, range(100), 2, ahead=3)
    for number in range(90):
        assert next(results) == number
        time.sleep(0.002)
        assert len(begun) <= number + 4  # the result in use and three more
    assert list(results) == list(range(90, 100))


def test_worker_count():
    assert worker_count(1) == 1 and 1 <= worker_count() <= 16
