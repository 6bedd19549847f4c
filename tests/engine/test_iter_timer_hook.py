import itertools

import pytest
from engine.toys import toy_config, train
from mmengine.hooks import IterTimerHook as MMEngineIterTimerHook
from mmengine.logging import MessageHub

from leokit.engine import iter_timer_hook
from leokit.engine.iter_timer_hook import IterTimerHook


@pytest.fixture
def clock(monkeypatch):
    """A clock that is read once a second."""
    seconds = itertools.count()
    monkeypatch.setattr(iter_timer_hook.time, 'time', lambda: float(next(seconds)))


@pytest.mark.parametrize('interval, iterations', [(5, 12), (100, 12), (1, 3)])
def test_times_are_those_of_every_iteration(tmp_path, clock, interval, iterations):
    config = toy_config(tmp_path)
    config.default_hooks.logger.interval = interval
    config.default_hooks.timer = dict(type='IterTimerHook')
    config.train_cfg.max_iters = iterations
    runner = train(config)
    timer, = (hook for hook in runner.hooks if isinstance(hook, IterTimerHook))
    for name in ('time', 'data_time'):
        assert len(runner.message_hub.get_scalar(f'train/{name}').data[0]) == iterations
    assert timer.time_sec_tot == runner.message_hub.get_scalar('train/time').data[0].sum()
    assert runner.message_hub.get_info('eta') == 0


class _Runner:
    hooks, max_iters, iter = [], 30, 10

    def __init__(self):
        self.message_hub = MessageHub('timer')


def test_the_remaining_time_is_that_of_a_resumed_training(clock):
    hook, runner = IterTimerHook(), _Runner()
    hook.before_train(runner)
    hook.before_train_epoch(runner)  # read at 0
    for _ in range(4):  # each reads the clock twice
        hook.before_train_iter(runner, runner.iter)
        hook.after_train_iter(runner, runner.iter)
        runner.iter += 1
    hook.before_checkpoint(runner)
    assert runner.message_hub.get_scalar('train/time').data[0].tolist() == [2, 2, 2, 2]
    assert runner.message_hub.get_scalar('train/data_time').data[0].tolist() == [1, 1, 1, 1]
    assert runner.message_hub.get_info('eta') == 2 * (30 - 14)
    hook.before_checkpoint(runner)  # nothing new
    assert len(runner.message_hub.get_scalar('train/time').data[0]) == 4


def test_it_is_the_hook_of_the_configs():
    assert issubclass(IterTimerHook, MMEngineIterTimerHook) and IterTimerHook.priority == 'NORMAL'
