"""Work in processes; one that crashes costs its item only."""

import os

import pytest

from leokit.utils.process_map import Crashed, process_map


def work(number):
    if number == 3:
        os._exit(7)  # as a decoder that crashes
    if number == 100:
        raise ValueError('wrong')
    return number * number, os.getpid()


@pytest.mark.slow  # every process imports the package
def test_a_crash_costs_one_item():
    results = dict(process_map(work, range(6), 2))
    assert isinstance(results.pop(3), Crashed)
    assert {number: value for number, (value, _) in results.items()} == {0: 0, 1: 1, 2: 4, 4: 16, 5: 25}
    assert all(process != os.getpid() for _, process in results.values())


@pytest.mark.slow
def test_an_error_ends_the_loop():
    with pytest.raises(ValueError, match='wrong'):
        list(process_map(work, [1, 100], 2))


def test_one_worker_is_this_process():
    assert list(process_map(work, [4, 5], 1)) == [(0, (16, os.getpid())), (1, (25, os.getpid()))]
