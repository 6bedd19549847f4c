from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch
from engine.toys import toy_config, train
from mmengine.hooks import LoggerHook

from leokit.engine import LeoRunner
from leokit.engine.loss_watch_hook import LossWatchHook, Record, _check_finite, sample_names
from leokit.utils import UserError


def test_the_log_history_has_every_iteration(tmp_path):
    runner = train(toy_config(tmp_path, optim_wrapper=dict(
        type='AutocastOptimWrapper', dtype='float32', optimizer=dict(type='SGD', lr=0.0),
        clip_grad=dict(max_norm=1.0))))
    scalars = runner.message_hub.log_scalars
    for term in ('loss', 'loss_fit', 'loss_other', 'grad_norm', 'lr'):
        assert len(scalars[f'train/{term}'].data[0]) == 12
    fit, other, total = (scalars[f'train/{term}'].data[0] for term in ('loss_fit', 'loss_other', 'loss'))
    torch.testing.assert_close(torch.tensor(fit + other), torch.tensor(total))


@pytest.mark.parametrize('interval', [4, 100])
def test_a_non_finite_loss_is_found_at_any_log_interval_and_never_saved(tmp_path, interval):
    config = toy_config(tmp_path)
    config.train_dataloader.sampler.shuffle = False
    config.train_dataloader.dataset.broken = 21  # iteration 6: draws 20 to 23
    config.default_hooks.logger.interval = interval
    with pytest.raises(UserError) as caught:
        train(config)
    message = str(caught.value)
    assert 'non-finite loss at iteration 6' in message and 'loss_fit=nan' in message
    assert 'batch [clip_20, clip_21, clip_22, clip_23]' in message
    saved = sorted(file.name for file in tmp_path.glob('*.pth'))
    assert saved == ['iter_4.pth']


def test_non_finite_weights_do_not_overwrite_a_checkpoint(tmp_path):
    runner = train(toy_config(tmp_path))
    with torch.no_grad():
        runner.model.encoder[0].bias[1] = torch.inf
    with pytest.raises(UserError, match=r'1 weights are no longer finite .*encoder\.0\.bias'):
        runner.save_checkpoint(tmp_path, 'iter_12.pth')
    LeoRunner.from_cfg(toy_config(tmp_path, resume=True)).train()


@pytest.mark.parametrize('batch, names', [
    (dict(inputs=0, data_samples=dict(name=['a', 'b'])), ['a', 'b']),
    (dict(inputs=0, data_samples=[dict(name='a'), dict(name='b')]), ['a', 'b']),
    (dict(inputs=0), []), ([1, 2], []), (dict(data_samples=dict(start=[1])), [])])
def test_names_of_a_batch(batch, names):
    assert sample_names(batch) == names


class Loader(list):
    dataset = None


def watched(monkeypatch, iterations, *, intervals=(), max_pending=50, epoch=1000, values=None):
    """The iterations after which the history has new values, and the history of ``loss``."""
    loggers = [LoggerHook(interval=interval) for interval in intervals]
    runner = MagicMock(hooks=loggers, max_iters=iterations, train_dataloader=Loader(range(epoch)))
    runner.optim_wrapper = SimpleNamespace(log_vars={}, get_lr=lambda: dict(lr=[0.5]))
    history = []
    monkeypatch.setattr('leokit.engine.loss_watch_hook.extend_history', lambda hub, name, numbers: history.append(
        (runner.iter + 1, name, list(numbers))))
    monkeypatch.setattr('leokit.engine.loss_watch_hook.bound_histories', lambda hub: None)
    hook = LossWatchHook(max_pending)
    hook.before_train(runner)
    for runner.iter in range(iterations):
        hook.before_train_iter(runner, runner.iter)
        loss = torch.tensor(float(runner.iter) if values is None else values[runner.iter])
        hook.after_train_iter(runner, runner.iter % epoch, outputs=dict(loss=loss))
    rows = [row for row in history if row[1] == 'train/loss']
    return [iteration for iteration, *_ in rows], [number for *_, numbers in rows for number in numbers]


@pytest.mark.parametrize('options, expected', [
    (dict(intervals=(3, 10)), [3, 6, 8]),  # the smallest interval of the loggers, and the last iteration
    (dict(intervals=(100,), max_pending=2), [2, 4, 6, 8]),
    (dict(max_pending=5), [5, 8]),  # without a logger
    (dict(intervals=(100,), epoch=3), [3, 6, 8])])  # a new epoch starts without old values
def test_when_values_are_read_from_the_device(monkeypatch, options, expected):
    assert watched(monkeypatch, 8, **options) == (expected, [0, 1, 2, 3, 4, 5, 6, 7])


def test_losses_are_averaged_over_processes(monkeypatch):
    """Another process with twice the loss; and one whose loss is not finite."""
    module = 'leokit.engine.loss_watch_hook'
    monkeypatch.setattr(f'{module}.get_world_size', lambda: 2)
    monkeypatch.setattr(f'{module}.all_reduce', lambda tensor, op: tensor.mul_(
        dict(mean=1.5, sum=3.0)[op]))
    assert watched(monkeypatch, 2) == ([2], [0, 1.5])
    monkeypatch.setattr(f'{module}.all_reduce', lambda tensor, op: tensor.fill_(torch.inf))
    with pytest.raises(UserError, match='non-finite loss of another process at iteration 1;'):
        watched(monkeypatch, 2)


def test_a_message_lists_eight_samples():
    record = Record(4, ('loss_a', 'accuracy'), torch.zeros(2), {}, dict(data_samples=dict(name=list('abcdefghij'))))
    with pytest.raises(UserError, match=r'iteration 4: loss_a=nan; batch \[a, b, c, d, e, f, g, h, \.\.\.\]'):
        _check_finite(record, [float('nan'), 1.0])
    with pytest.raises(UserError, match=r'batch \[a, b, c, d, e, f, g, h\]'):
        _check_finite(record._replace(batch=dict(data_samples=dict(name=list('abcdefgh')))), [torch.inf, 1.0])
    _check_finite(record, [1.0, float('nan')])  # neither a loss nor a gradient norm
    assert LossWatchHook().max_pending == 50
