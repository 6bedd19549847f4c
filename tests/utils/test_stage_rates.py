import pytest

from leokit.utils.progress import StageRates


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr('leokit.utils.progress.time.perf_counter', lambda: now[0])
    return now


def run(clock, wait, work, batches=10, size=100):
    rates = StageRates('read', 'encode')
    for _ in range(batches):
        with rates.waiting():
            clock[0] += wait
        clock[0] += work
        rates.count += size
    return str(rates)


def test_a_consumer_that_waits(clock):
    # 1000 frames in 2 s, of which 0.4 s were work
    assert run(clock, wait=0.16, work=0.04) == 'read 500/s · encode 2,500/s · waiting on: read'


def test_a_producer_that_is_kept_waiting(clock):
    assert run(clock, wait=0.0, work=0.2) == 'read ≥ 500/s · encode 500/s · waiting on: encode'
