import os
import signal
import threading

import pytest
import torch

from leokit.engine.preemption import TrainingInterrupted, STOP_SIGNALS, StopRequest

CPU = torch.device('cpu')


@pytest.mark.parametrize('number', STOP_SIGNALS)
def test_a_signal_is_recorded_and_the_old_handler_restored(number):
    before = signal.getsignal(number)
    with StopRequest(CPU) as request:
        assert not request.all_ranks_agree()
        os.kill(os.getpid(), number)
        assert request.all_ranks_agree() and request.received == number.name
    assert signal.getsignal(number) is before


def test_only_an_interruptible_block_is_interrupted():
    with StopRequest(CPU) as request:
        with request.interruptible():
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(TrainingInterrupted):
            with request.interruptible():
                pytest.fail('the request was known before')
    with StopRequest(CPU) as request:
        with pytest.raises(TrainingInterrupted):
            with request.interruptible():
                os.kill(os.getpid(), signal.SIGTERM)
                signal.pause()
        os.kill(os.getpid(), signal.SIGTERM)  # a second one only counts as received


def test_outside_the_main_thread_signals_stay_as_they_are():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def enter():
        with StopRequest(CPU) as request:
            seen.append((request.all_ranks_agree(), signal.getsignal(signal.SIGTERM)))
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [(False, before)]


def test_a_second_ctrl_c_ends_at_once():
    with StopRequest(torch.device('cpu')) as request:
        signal.raise_signal(signal.SIGINT)
        assert request.all_ranks_agree() and request.received == 'SIGINT'
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_ignored_hangup_stays_ignored():
    """``nohup`` starts a training that survives its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest(CPU) as request:
            signal.raise_signal(signal.SIGHUP)
            assert request.received is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
