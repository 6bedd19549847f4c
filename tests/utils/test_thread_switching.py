import gc
import os
import sys

import pytest

from leokit.utils import Prefetcher, thread_switching
from leokit.utils.thread_switching import INTERVAL, frequent_switches


@pytest.fixture
def usual(monkeypatch):
    monkeypatch.setattr(thread_switching, '_users', 0)  # of threads that another test has left
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    yield 0.005
    sys.setswitchinterval(before)


def test_blocks_that_overlap_restore_the_interval_when_the_last_one_ends(usual):
    first, second = frequent_switches(), frequent_switches()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(INTERVAL)
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_a_shorter_interval_of_the_program_stays():
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(INTERVAL / 10)
        with frequent_switches():
            assert sys.getswitchinterval() == pytest.approx(INTERVAL / 10)
    finally:
        sys.setswitchinterval(before)


def test_an_error_restores_the_interval(usual):
    with pytest.raises(KeyError), frequent_switches():
        raise KeyError
    assert sys.getswitchinterval() == pytest.approx(usual)


@pytest.mark.parametrize('ends', ['source', 'close'])
def test_a_prefetcher_switches_often_while_it_works(usual, ends):
    prefetcher = Prefetcher((sys.getswitchinterval() for _ in range(3)), depth=1)
    if ends == 'source':
        assert list(prefetcher) == pytest.approx([INTERVAL] * 3)
    else:
        assert next(prefetcher) == pytest.approx(INTERVAL)
        prefetcher.close()
    assert sys.getswitchinterval() == pytest.approx(usual)


def test_an_abandoned_prefetcher_ends(usual):
    prefetcher = Prefetcher(iter(range(100)), depth=1)
    assert next(prefetcher) == 0
    thread = prefetcher._thread
    del prefetcher
    gc.collect()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert sys.getswitchinterval() == pytest.approx(usual)


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore:.*fork:DeprecationWarning')
def test_a_child_process_starts_with_the_usual_interval(usual):
    with frequent_switches():
        child = os.fork()
        if not child:
            right = abs(sys.getswitchinterval() - usual) < 1e-6
            with frequent_switches():
                right &= abs(sys.getswitchinterval() - INTERVAL) < 1e-6
            os._exit(0 if right and abs(sys.getswitchinterval() - usual) < 1e-6 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
