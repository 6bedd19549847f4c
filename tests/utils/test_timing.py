import time

import pytest

from leokit.utils.timing import measure


def test_the_warm_up_does_not_count():
    calls = []

    def work():
        calls.append(time.sleep(0.03 if len(calls) < 2 else 0.002))
    timing = measure(work, 'cpu', repeats=5, warmup=2)
    assert len(calls) == 7 and timing.peak_memory > 2**25
    assert 0.002 <= timing.lowest <= timing.median <= timing.highest and timing.median < 0.03


def test_the_median_ignores_one_slow_repeat(monkeypatch):
    clock = iter([0.0, 1.0, 10.0, 13.0, 20.0, 22.0])
    monkeypatch.setattr(time, 'perf_counter', lambda: next(clock))
    assert measure(lambda: None, 'cpu', repeats=3, warmup=0)[:3] == (2.0, 1.0, 3.0)


def test_errors_of_the_work_are_raised():
    with pytest.raises(ZeroDivisionError):
        measure(lambda: 1 // 0, 'cpu')
