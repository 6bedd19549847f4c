"""Sources in processes: order, errors, and processes that end."""

import multiprocessing
import os
import resource
import signal
import time
from collections import Counter

import numpy as np
import pytest

from leokit.utils import UserError, process_streams
from leokit.utils.prefetch import Ended, prefetch_in_turn
from leokit.utils.process_streams import parallel_calls, process_in_turn, shared_block, worth_processes

LENGTHS = (3, 0, 1, 4, 2)


def numbers(source):
    """Arrays that name their source, their position and the process they are made in."""
    for position in range(LENGTHS[source]):
        yield np.array([source, position, os.getpid()])


def summary(pairs):
    return [(number, 'end' if isinstance(item, Ended) else tuple(item[:2].tolist())) for number, item in pairs]


def test_items_come_in_turn_from_other_processes():
    pairs = list(process_in_turn(numbers, len(LENGTHS), 2))
    # process 0 has the sources 0, 2 and 4, process 1 the sources 1 and 3
    first = [(0, (0, 0)), (0, (0, 1)), (0, (0, 2)), (0, 'end'), (2, (2, 0)), (2, 'end'), (4, (4, 0)), (4, (4, 1)),
             (4, 'end')]
    second = [(1, 'end'), (3, (3, 0)), (3, (3, 1)), (3, (3, 2)), (3, (3, 3)), (3, 'end')]
    in_turn = [pair for both in zip(first, second) for pair in both] + first[len(second):]
    assert summary(pairs) == in_turn
    processes = {item[2] for _, item in pairs if not isinstance(item, Ended)}
    assert len(processes) == 2 and os.getpid() not in processes


def test_each_source_is_what_threads_make_of_it():
    threads = summary(prefetch_in_turn(map(numbers, range(len(LENGTHS))), 3))
    processes = summary(process_in_turn(numbers, len(LENGTHS), 3))
    for source in range(len(LENGTHS)):
        assert [pair for pair in processes if pair[0] == source] == [pair for pair in threads if pair[0] == source]


class Unpicklable(Exception):
    def __init__(self, number, reason):
        super().__init__(f'{number} {reason}')  # one argument: it cannot be made again from its arguments


@pytest.mark.parametrize('error, expected', [
    (UserError('a.mp4 is damaged'), (UserError, 'a.mp4 is damaged')),
    (Unpicklable(3, 'is odd'), (RuntimeError, 'Unpicklable: 3 is odd'))])
def test_an_error_ends_its_source_only(error, expected):
    def source(number):
        yield np.array([number, 0])
        if number == 1:
            raise error
        yield np.array([number, 1])

    pairs = list(process_in_turn(source, 4, 2))
    ends = {number: item.error for number, item in pairs if isinstance(item, Ended)}
    raised = ends.pop(1)
    assert (type(raised), raised.args) == (expected[0], (expected[1],)) and set(ends.values()) == {None}
    assert Counter(number for number, item in pairs if not isinstance(item, Ended)) == {0: 2, 1: 1, 2: 2, 3: 2}


def test_a_process_that_is_killed_is_reported():
    def source(number):
        yield np.array([os.getpid()])
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(UserError, match='a worker process has ended, .*--workers'):
        list(process_in_turn(source, 2, 2))


@pytest.mark.parametrize('error', [ConnectionResetError('reset by peer'), EOFError()])
def test_a_process_that_is_killed_while_it_sends_an_item_is_reported(error, monkeypatch):
    """The item's memory is asked for in the process that made it, which may not be known to have ended yet."""
    def items(*given, **options):
        yield 0, np.array([1])
        raise error

    monkeypatch.setattr(process_streams, 'DataLoader', items)
    pairs = process_in_turn(numbers, 2, 2)
    assert next(pairs)[0] == 0
    with pytest.raises(UserError, match='a worker process has ended, .*--workers'):
        next(pairs)


def test_other_errors_of_the_loader_are_raised(monkeypatch):
    def items(*given, **options):
        raise RuntimeError('out of memory')
        yield

    monkeypatch.setattr(process_streams, 'DataLoader', items)
    with pytest.raises(RuntimeError, match='out of memory'):
        next(process_in_turn(numbers, 2, 2))


def test_full_shared_memory_is_reported():
    """Stood in for by a limit of file sizes in the process."""
    def source(number):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        yield np.zeros(10_000, np.uint8)

    (number, ended), = process_in_turn(source, 1, 1)
    assert number == 0 and isinstance(ended.error, UserError)
    assert 'no room for decoded frames in /dev/shm' in str(ended.error) and '4 workers or fewer' in str(ended.error)


def test_the_layout_of_an_item_is_kept():
    frames = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    (_, item), _ = process_in_turn(lambda number: [frames.transpose(0, 3, 1, 2)], 1, 1)
    assert item.shape == (2, 3, 4, 5) and item.strides == frames.transpose(0, 3, 1, 2).strides
    assert (item == frames.transpose(0, 3, 1, 2)).all()


def test_an_early_end_ends_the_processes():
    def source(number):
        while True:
            yield np.array([os.getpid()])

    pairs = process_in_turn(source, 2, 2)
    processes = {int(next(pairs)[1][0]) for _ in range(4)}
    assert len(processes) == 2
    pairs.close()
    deadline = time.monotonic() + 20
    while {child.pid for child in multiprocessing.active_children()} & processes and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not {child.pid for child in multiprocessing.active_children()} & processes


@pytest.mark.parametrize('sources, workers, free, expected', [
    (5, 5, 10_000, True), (4, 5, 10_000, False), (5, 4, 10_000, False), (50, 16, 10_000, True),
    # 5 workers, 2 waiting items and one in the making of 100 bytes, twice
    (5, 5, 3_000, False), (5, 5, 3_001, True)])
def test_processes_need_work_for_several_and_shared_memory(monkeypatch, sources, workers, free, expected):
    usage = process_streams.shutil.disk_usage('/')._replace(free=free)
    monkeypatch.setattr(process_streams.shutil, 'disk_usage', lambda path: {'/dev/shm': usage}[path])
    assert worth_processes(sources, workers, 100, 2) is expected


def test_without_shared_memory_there_are_no_processes(monkeypatch):
    monkeypatch.setattr(process_streams, 'SHARED_MEMORY', '/nowhere')
    assert not worth_processes(50, 16, 1, 2)


def test_a_daemonic_process_has_no_processes(monkeypatch):
    assert worth_processes(50, 16, 1, 2)
    monkeypatch.setattr(multiprocessing.current_process(), '_config', {'daemon': True})
    assert multiprocessing.current_process().daemon and not worth_processes(50, 16, 1, 2)


def test_calls_write_to_shared_memory_in_other_processes():
    processes = shared_block(7 * 8).view(np.int64)

    def write(number):
        processes[number] = os.getpid()
        if number == 3:
            raise UserError('c.mp4 is damaged')

    results = dict(parallel_calls(write, 7, 3, in_processes=True))
    assert sorted(results) == list(range(7)) and str(results.pop(3)) == 'c.mp4 is damaged'
    assert set(results.values()) == {None}
    assert processes[:4].tolist() == processes[3:].tolist() and len({*processes} - {0, os.getpid()}) == 3


def test_a_call_does_not_wait_for_those_of_other_processes():
    """Process 0 leaves its first call when process 1 has made its last one, so many calls ahead."""
    done = shared_block(40 * 8).view(np.int64)

    def work(number):
        deadline = time.monotonic() + 60
        while number == 0 and not done[1::2].all() and time.monotonic() < deadline:
            time.sleep(0.01)
        done[number] = 1 if time.monotonic() < deadline else -1

    assert dict(parallel_calls(work, 40, 2, in_processes=True)) == dict.fromkeys(range(40))
    assert (done == 1).all()


def test_the_report_of_a_killed_process_names_the_option():
    with pytest.raises(UserError, match=r'use fewer workers \(frames.workers\)'):
        list(parallel_calls(lambda number: os.kill(os.getpid(), signal.SIGKILL), 2, 2, in_processes=True,
                            option='frames.workers'))


def test_calls_in_threads_name_their_errors_too():
    processes = [0] * 4

    def write(number):
        processes[number] = os.getpid()
        if number == 2:
            raise ValueError('odd')

    results = list(parallel_calls(write, 4, 2, in_processes=False))
    assert [number for number, _ in results] == [0, 1, 2, 3] and processes == [os.getpid()] * 4
    assert isinstance(results[2][1], ValueError) and {error for _, error in results[:2] + results[3:]} == {None}
