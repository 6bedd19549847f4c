import os
import signal
import time

import numpy as np
import pytest
import torch
from engine.toys import toy_config, train, train_in_process, with_validation
from support.processes import run_process, start_process

from leokit.engine import EXIT_STATUS
from leokit.engine.train_loop import seed_iteration, uncompiled
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint


def full_config(work_dir, *, num_workers=0, record='losses.txt', **hook):
    """A config with everything that has a state: Adam, a schedule, an average, bfloat16, dropout, clipping, workers."""
    config = toy_config(
        work_dir,
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype='bfloat16', optimizer=dict(type='Adam', lr=0.01),
                           clip_grad=dict(max_norm=1.0)),
        param_scheduler=[dict(type='LinearLR', start_factor=0.1, begin=0, end=4, by_epoch=False),
                         dict(type='CosineAnnealingLR', begin=4, T_max=20, by_epoch=False)],
        custom_hooks=[dict(type='EMAHook', decay=0.9),
                      dict(type='RecordHook', file=str(work_dir / record), priority='LOWEST', **hook)])
    config.train_cfg.max_iters = 20
    config.train_dataloader.num_workers = num_workers
    return config


def losses(file):
    return dict(line.split(' ', 1) for line in file.read_text().splitlines())


def assert_same_training(one, other):
    first, second = (load_checkpoint(folder / 'iter_20.pth') for folder in (one, other))
    for part in ('state_dict', 'raw_state_dict'):
        assert first[part].keys() == second[part].keys()
        assert all(torch.equal(first[part][key], second[part][key]) for key in first[part])
    for key, state in first['optimizer']['state'].items():
        assert all(torch.equal(state[name], second['optimizer']['state'][key][name]) for name in state)
    for term in ('loss', 'lr', 'grad_norm'):
        assert torch.equal(*(each['message_hub']['log_scalars'][f'train/{term}']['values']
                             for each in (first, second)))


def resume(work_dir, **options):
    config = full_config(work_dir, record='resumed.txt', **options)
    config.resume = 'auto'
    return train(config)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of an uninterrupted training."""
    folder = tmp_path_factory.mktemp('whole')
    train(full_config(folder))
    return folder


@pytest.mark.parametrize('num_workers', [0, 2])
def test_a_killed_training_resumes_bit_identically(tmp_path, whole, num_workers):
    config = full_config(tmp_path, num_workers=num_workers, signal_after=14, number=int(signal.SIGKILL))
    assert run_process(train_in_process, config.pretty_text) == -signal.SIGKILL
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_12.pth'
    assert resume(tmp_path, num_workers=num_workers).resumed_from.name == 'iter_12.pth'
    expected = losses(whole / 'losses.txt')
    assert losses(tmp_path / 'losses.txt') == {key: expected[key] for key in map(str, range(14))}
    assert losses(tmp_path / 'resumed.txt') == {key: expected[key] for key in map(str, range(12, 20))}
    assert_same_training(whole, tmp_path)


def die_while_saving(config_text):
    """Process target: exits while the second checkpoint is being written."""
    saved = []
    save = torch.save

    def save_half(content, path):
        save(content, path)
        saved.append(path)
        if len(saved) == 2:
            os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    torch.save = save_half
    train_in_process(config_text)


def test_a_training_killed_while_saving_resumes_the_previous_checkpoint(tmp_path):
    config = toy_config(tmp_path)
    config.default_hooks.checkpoint.max_keep_ckpts = 1
    assert run_process(die_while_saving, config.pretty_text) == -signal.SIGKILL
    assert {file.name for file in tmp_path.glob('*.pth')} == {'iter_4.pth', 'iter_8.part.pth'}
    config.resume = 'auto'
    assert train(config).resumed_from.name == 'iter_4.pth'
    assert not list(tmp_path.glob('*.part.pth'))


@pytest.mark.slow
def test_a_training_killed_repeatedly_completes(tmp_path, whole):
    config = full_config(tmp_path)
    config.default_hooks.checkpoint.interval = 1
    config.resume = 'auto'
    record = tmp_path / 'losses.txt'
    record.touch()
    kills = 0
    while not (tmp_path / 'iter_20.pth').exists():
        lines = len(record.read_text().splitlines())
        process = start_process(train_in_process, config.pretty_text)
        while process.is_alive() and len(record.read_text().splitlines()) < lines + 3:
            time.sleep(0.003)
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    assert kills > 2
    assert_same_training(whole, tmp_path)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP])
def test_a_stop_signal_ends_with_a_checkpoint(tmp_path, whole, number):
    config = full_config(tmp_path, num_workers=1, signal_after=6, number=int(number))
    assert run_process(train_in_process, config.pretty_text) == EXIT_STATUS
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_6.pth'
    resume(tmp_path)
    assert_same_training(whole, tmp_path)


@pytest.mark.timeout(60)
def test_a_process_with_persistent_workers_ends(tmp_path):
    """At exit Python sends SIGTERM to the remaining workers, which must end."""
    config = toy_config(tmp_path, **with_validation())
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.update(num_workers=1, persistent_workers=True)
    assert run_process(train_in_process, config.pretty_text) == 0


def test_a_stop_signal_interrupts_validation_and_saves_the_raw_weights(tmp_path, whole):
    config = full_config(tmp_path)
    config.merge_from_dict(with_validation(interrupt=True))
    config.train_cfg.val_interval = 7
    runner = train(config)
    assert runner.train_loop.stopped_by == 'SIGTERM' and runner.iter == 7
    resume(tmp_path)
    assert_same_training(whole, tmp_path)


def test_a_stop_waits_for_the_end_of_an_accumulation(tmp_path):
    config = toy_config(tmp_path, custom_hooks=[
        dict(type='RecordHook', signal_after=6, number=int(signal.SIGTERM))])
    config.optim_wrapper.accumulative_counts = 4
    assert train(config).iter == 8


def test_resuming_loads_nothing_that_was_skipped(tmp_path):
    config = toy_config(tmp_path)
    train(config)
    config.merge_from_dict(dict(resume=True, train_cfg=dict(max_iters=14)))
    runner = train(config)
    assert runner.train_dataloader.dataset.loaded == list(range(48, 56))


def test_resuming_a_finished_training_does_nothing(tmp_path):
    config = toy_config(tmp_path)
    train(config)
    config.resume = True
    assert train(config).train_dataloader.dataset.loaded == []


def test_a_stop_signal_in_the_last_iteration_does_not_skip_the_last_validation(tmp_path):
    config = toy_config(tmp_path, **with_validation(), custom_hooks=[
        dict(type='RecordHook', signal_after=12, number=int(signal.SIGTERM))])
    runner = train(config)
    assert runner.iter == 12 and runner.train_loop.stopped_by is None
    assert len(runner.message_hub.get_scalar('val/toy/error').data[0]) == 1


def test_an_interrupted_last_validation_is_made_up_for(tmp_path):
    config = toy_config(tmp_path)
    config.merge_from_dict(with_validation(interrupt=True))
    assert train(config).train_loop.stopped_by == 'SIGTERM' and (tmp_path / 'iter_12.pth').is_file()
    config.merge_from_dict(dict(with_validation(), resume=True))
    config.val_evaluator.interrupt = False
    runner = train(config)
    assert runner.train_loop.stopped_by is None
    assert len(runner.message_hub.get_scalar('val/toy/error').data[0]) == 1


def test_validation_runs_at_intervals_and_at_the_end(tmp_path):
    config = toy_config(tmp_path, **with_validation())
    config.train_cfg.update(val_interval=5, val_begin=6)
    runner = train(config)
    assert len(runner.message_hub.get_scalar('val/toy/error').data[0]) == 2  # after 10 and 12


def test_an_iteration_is_seeded_by_seed_and_iteration():
    draws = {}
    for key in [(0, 0), (1, 0), (0, 1), (0, 0)]:
        seed_iteration(*key)
        drawn = torch.rand(3)
        assert torch.equal(draws.setdefault(key, drawn), drawn)
    assert len({tuple(drawn.tolist()) for drawn in draws.values()}) == 3
    # the state of one process, as of rank 0 in earlier versions
    state = int(np.random.SeedSequence((3, 17, 0)).generate_state(1, np.uint64)[0])
    seed_iteration(3, 17)
    assert torch.equal(torch.rand(3), torch.rand(3, generator=torch.Generator().manual_seed(state)))


def test_a_sampler_without_start_at_is_an_error(tmp_path):
    config = toy_config(tmp_path)
    config.train_dataloader.sampler = dict(type='InfiniteSampler')
    remedy = "InfiniteSampler; set train_dataloader.sampler=dict\\(type='DeterministicSampler'\\)"
    with pytest.raises(UserError, match=remedy):
        train(config)


@pytest.mark.skipif(not hasattr(torch.compiler, 'set_stance'), reason='PyTorch 2.6 and later')
def test_validation_runs_eagerly_and_training_compiled():
    compiled = []

    def backend(graph, inputs):
        compiled.append(len(inputs))
        return graph.forward

    layer = torch.nn.Linear(2, 2)
    layer.compile(backend=backend)
    layer(torch.zeros(3, 2))
    with uncompiled():
        layer(torch.zeros(5, 2))
        with torch.no_grad():
            layer(torch.zeros(7, 2))
    assert len(compiled) == 1
    layer(torch.zeros(3, 2))
    assert len(compiled) == 1
    torch.compiler.reset()
