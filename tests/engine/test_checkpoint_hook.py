import json

import pytest
from engine.toys import toy_config, train, with_validation

from leokit.engine import checkpoint_hook, checkpointing
from leokit.utils import UserError
from leokit.utils.checkpoints import CheckpointWriteError, load_checkpoint, save_checkpoint


def files(folder):
    return sorted(file.name for file in folder.iterdir() if file.is_file() and file.suffix != '.py')


def with_hook(**options):
    return dict(checkpoint=dict(type='AtomicCheckpointHook', **options))


def test_the_newest_are_kept_and_the_last_is_marked(tmp_path):
    train(toy_config(tmp_path, default_hooks=with_hook(interval=3, max_keep_ckpts=2)))
    assert files(tmp_path) == ['iter_12.pth', 'iter_9.pth', 'last_checkpoint']
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_12.pth'


def test_all_checkpoints_can_be_kept_and_the_last_iteration_is_saved(tmp_path):
    train(toy_config(tmp_path, default_hooks=with_hook(interval=5, max_keep_ckpts=0)))
    assert files(tmp_path) == ['iter_10.pth', 'iter_12.pth', 'iter_5.pth', 'last_checkpoint']


def test_a_resumed_training_prunes_its_own_files_and_removes_partial_ones(tmp_path):
    config = toy_config(tmp_path, default_hooks=with_hook(interval=3, max_keep_ckpts=2))
    train(config)
    (tmp_path / 'iter_15.part.pth').write_bytes(b'half')
    config.train_cfg.max_iters, config.resume = 15, 'auto'
    train(config)
    assert files(tmp_path) == ['iter_12.pth', 'iter_15.pth', 'last_checkpoint']


def test_resuming_from_another_folder_deletes_no_files(tmp_path):
    train(toy_config(tmp_path / 'a', default_hooks=with_hook(interval=6, max_keep_ckpts=1)))
    train(toy_config(tmp_path / 'b', default_hooks=with_hook(interval=4, max_keep_ckpts=1)))
    config = toy_config(tmp_path / 'b', resume=str(tmp_path / 'a' / 'iter_12.pth'),
                        default_hooks=with_hook(interval=3, max_keep_ckpts=1))
    config.train_cfg.max_iters = 15
    train(config)
    assert files(tmp_path / 'b') == ['iter_12.pth', 'iter_15.pth', 'last_checkpoint']


@pytest.mark.parametrize('rule, best', [
    ('less', 'best_toy_error_iter_12.pth'), ('greater', 'best_toy_error_iter_4.pth')])
def test_the_best_weights_are_kept(tmp_path, rule, best):
    config = toy_config(tmp_path, **with_validation(),
                        default_hooks=with_hook(interval=4, save_best='toy/error', rule=rule))
    config.train_cfg.val_interval = 4
    train(config)
    assert [name for name in files(tmp_path) if name.startswith('best_toy')] == [best]
    assert json.loads((tmp_path / 'best_checkpoint.json').read_text())['file'] == best
    assert 'optimizer' not in load_checkpoint(tmp_path / best)


def test_a_resumed_training_keeps_the_best_metric(tmp_path):
    config = toy_config(tmp_path, **with_validation(scale=-1.0),
                        default_hooks=with_hook(interval=4, save_best='toy/error', rule='greater'))
    config.train_cfg.val_interval = 4
    train(config)
    config.merge_from_dict(dict(resume='auto', train_cfg=dict(max_iters=16), val_evaluator=dict(scale=-100.0)))
    train(config)
    assert [name for name in files(tmp_path) if name.startswith('best_toy')] == ['best_toy_error_iter_12.pth']


def test_an_unknown_metric_is_an_error(tmp_path):
    config = toy_config(tmp_path, **with_validation(), default_hooks=with_hook(interval=4, save_best='fvd'))
    with pytest.raises(UserError, match="save_best='fvd' is none of the validation metrics: toy/error"):
        train(config)


def test_a_partial_accumulation_is_never_saved(tmp_path):
    config = toy_config(tmp_path, default_hooks=with_hook(interval=4))
    config.optim_wrapper.accumulative_counts = 3
    with pytest.raises(UserError, match='interval=4 is no multiple of optim_wrapper.accumulative_counts=3'):
        train(config)


class FullDisk:
    """Refuses to write checkpoints at some iterations, as a disk that is full for a while."""

    def __init__(self, monkeypatch, full):
        self.tried = []

        def save(checkpoint, path):
            iteration = checkpoint['meta']['iter']
            self.tried.append(iteration)
            if iteration in full and len(self.tried) <= full[iteration]:
                raise CheckpointWriteError(f'the checkpoint {path} cannot be written: No space left on device')
            return save_checkpoint(checkpoint, path)
        monkeypatch.setattr(checkpointing, 'save_checkpoint', save)
        monkeypatch.setattr(checkpoint_hook, 'SECONDS_BETWEEN_ATTEMPTS', 0.0)


def test_a_disk_that_is_full_for_a_while_costs_no_interval(tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch, full={6: 1})
    runner = train(toy_config(tmp_path, default_hooks=with_hook(interval=6)))
    assert disk.tried == [6, 7, 12] and runner.iter == 12
    assert files(tmp_path) == ['iter_12.pth', 'iter_7.pth', 'last_checkpoint']
    assert 'tries again at iteration 7' in next(tmp_path.glob('*/*.log')).read_text()


def test_the_last_checkpoint_is_tried_several_times(tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch, full={12: 3})
    train(toy_config(tmp_path, default_hooks=with_hook(interval=12)))
    assert disk.tried == [12, 12, 12, 12] and files(tmp_path) == ['iter_12.pth', 'last_checkpoint']


def test_a_disk_that_stays_full_is_an_error_at_the_end(tmp_path, monkeypatch):
    FullDisk(monkeypatch, full={6: 99, 12: 99})
    with pytest.raises(UserError, match='iter_12.pth cannot be written'):
        train(toy_config(tmp_path, default_hooks=with_hook(interval=12)))
    assert files(tmp_path) == []


@pytest.mark.parametrize('content', ['{', '[1, 2]', '{"metric": 5}', 100_000 * '['])
def test_a_damaged_record_of_the_best_does_not_stop_a_resume(tmp_path, content):
    config = toy_config(tmp_path, **with_validation(), default_hooks=with_hook(interval=6, save_best='toy/error'))
    train(config)
    (tmp_path / 'best_checkpoint.json').write_text(content)
    config.train_cfg.max_iters, config.resume = 15, 'auto'
    assert train(config).iter == 15
