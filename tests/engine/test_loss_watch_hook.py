import pytest
import torch
from engine.toys import toy_config, train

from leokit.engine import LeoRunner
from leokit.engine.loss_watch_hook import sample_names
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
