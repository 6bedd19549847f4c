import time

import pytest
import torch
from engine.toys import ToyModel, toy_config, train, with_validation
from mmengine.config import config as mmengine_config

from leokit.engine import LeoRunner
from leokit.registry import MODELS
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from leokit.utils.references import resolve_references


class Compiled(ToyModel):
    """Names the parts to compile itself."""

    def compile_parts(self, **options):
        self.options = options
        self.encoder.compile(**options)


@pytest.fixture(autouse=True)
def registered():
    MODELS.register_module(module=Compiled)
    yield
    del MODELS.module_dict['Compiled']


def test_the_entries_of_a_checkpoint(tmp_path):
    runner = train(toy_config(tmp_path, custom_hooks=[dict(type='EMAHook')]))
    checkpoint = load_checkpoint(tmp_path / 'iter_12.pth')
    assert checkpoint.keys() == {'meta', 'state_dict', 'raw_state_dict', 'optimizer', 'param_schedulers',
                                 'message_hub'}
    meta = checkpoint['meta']
    assert (meta['iter'], meta['epoch'], meta['model'], meta['seed']) == (12, 0, 'ToyModel', 3)
    assert meta['cfg']['model']['type'] == 'ToyModel' and meta['leokit_version'] and meta['time']
    assert checkpoint['state_dict'].keys() == runner.model.state_dict().keys()


@pytest.mark.parametrize('values, options, contents', [
    ({}, {}, 1),
    (dict(steps=12), {'train_cfg.max_iters': '$steps'}, 2),  # the work dir gets the config with its references
])
def test_the_config_is_formatted_once_per_content(tmp_path, monkeypatch, values, options, contents):
    texts = []
    original = mmengine_config.FormatCode
    monkeypatch.setattr(mmengine_config, 'FormatCode',
                        lambda text, **style: texts.append(text) or original(text, **style))
    config = toy_config(tmp_path, **values)
    config.merge_from_dict(options)
    resolved = resolve_references(config)
    runner = train(resolved)
    assert len(list(tmp_path.glob('iter_*.pth'))) > 1
    assert len(texts) == contents
    text = runner.message_hub.get_info('cfg')
    assert text == resolved.pretty_text
    assert [path.read_text() for path in tmp_path.glob('*/vis_data/config.py')] == [text]
    assert [path.read_text() for path in tmp_path.glob('*.py')] == [config.pretty_text]


def test_a_checkpoint_carries_the_conventions_of_its_model(tmp_path):
    class Conventional(ToyModel):
        conventions = dict(grid='exact')
    config = toy_config(tmp_path)
    runner = LeoRunner.from_cfg(config)
    runner.model.__class__ = Conventional
    runner.train()
    assert load_checkpoint(tmp_path / 'iter_12.pth')['meta']['conventions'] == dict(grid='exact')


def test_a_work_dir_that_cannot_be_created_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    for work_dir in (tmp_path / 'file', tmp_path / 'file' / 'below'):
        with pytest.raises(UserError, match=r'the work dir .* cannot be created \(.*\); pass another --work-dir'):
            LeoRunner.from_cfg(toy_config(work_dir))


def test_without_workers_their_options_are_ignored():
    config = toy_config('unused').train_dataloader
    config.update(num_workers=0, persistent_workers=True, prefetch_factor=4)
    assert LeoRunner.build_dataloader(config).num_workers == 0
    config.num_workers = 1
    loader = LeoRunner.build_dataloader(config)
    assert loader.persistent_workers and loader.prefetch_factor == 4


def test_the_resolved_config_is_in_the_work_dir(tmp_path):
    runner = train(toy_config(tmp_path))
    assert "type='ToyModel'" in (tmp_path / f'{runner.timestamp}.py').read_text()


def test_the_log_continues_after_a_resume(tmp_path):
    whole = train(toy_config(tmp_path / 'a'))
    config = toy_config(tmp_path / 'b')
    config.train_cfg.max_iters = 8
    config.param_scheduler[0].end = 12
    train(config)
    config.merge_from_dict(dict(resume='auto', train_cfg=dict(max_iters=12)))
    resumed = train(config)
    for term in ('loss', 'lr'):
        assert [buffer.mean(10) for buffer in (whole.message_hub.get_scalar(f'train/{term}'),)] == [
            resumed.message_hub.get_scalar(f'train/{term}').mean(10)]
    assert resumed.message_hub.get_info('eta') == 0


def test_load_from_loads_the_averaged_weights(tmp_path):
    train(toy_config(tmp_path / 'a', custom_hooks=[dict(type='EMAHook')]))
    file = tmp_path / 'a' / 'iter_12.pth'
    runner = LeoRunner.from_cfg(toy_config(tmp_path / 'b', load_from=str(file)))
    runner.load_or_resume()
    averaged = load_checkpoint(file)['state_dict']
    assert all(torch.equal(weight, averaged[key]) for key, weight in runner.model.state_dict().items())
    assert runner.resumed_from is None and runner.iter == 0


def test_resuming_without_an_average_uses_the_raw_weights(tmp_path):
    train(toy_config(tmp_path, custom_hooks=[dict(type='EMAHook')]))
    runner = LeoRunner.from_cfg(toy_config(tmp_path, resume='auto'))
    runner.load_or_resume()
    raw = load_checkpoint(tmp_path / 'iter_12.pth')['raw_state_dict']
    assert all(torch.equal(runner.model.state_dict()[key], weight) for key, weight in raw.items())


def test_a_resumed_training_adopts_the_seed(tmp_path):
    train(toy_config(tmp_path, randomness=dict(seed=8)))
    config = toy_config(tmp_path, randomness=dict(seed=None), resume='auto')
    config.train_cfg.max_iters = 13
    runner = train(config)
    assert runner.seed == runner.train_dataloader.sampler.seed == 8


def test_weights_only_files_cannot_be_resumed(tmp_path):
    runner = LeoRunner.from_cfg(toy_config(tmp_path / 'a'))
    save_checkpoint(dict(state_dict=runner.model.state_dict(), meta=dict(iter=3)), tmp_path / 'best.pth')
    with pytest.raises(UserError, match='holds weights only and cannot be resumed; start from it with load_from'):
        train(toy_config(tmp_path / 'b', resume=str(tmp_path / 'best.pth')))


def test_a_checkpoint_of_another_shape_needs_load_strict_false(tmp_path):
    train(toy_config(tmp_path / 'a'))
    config = toy_config(tmp_path / 'b', load_from=str(tmp_path / 'a' / 'iter_12.pth'),
                        model=dict(type='ToyModel', width=4))
    with pytest.raises(UserError, match='have another shape .* config differs'):
        LeoRunner.from_cfg(config).load_or_resume()
    config.load_strict = False
    LeoRunner.from_cfg(config).load_or_resume()


def test_a_bad_checkpoint_fails_before_the_data_is_opened(tmp_path):
    config = toy_config(tmp_path, load_from=str(tmp_path / 'none.pth'))
    config.train_dataloader.dataset.type = 'NoSuchData'
    with pytest.raises(UserError, match='none.pth does not exist'):
        train(config)


def test_a_new_training_does_not_overwrite_an_old_one(tmp_path):
    config = toy_config(tmp_path)
    train(config)
    with pytest.raises(UserError, match=r'already holds checkpoints \(iter_12\.pth\); pass --resume'):
        train(config)


@pytest.mark.parametrize('model', ['ToyModel', 'Compiled'])
def test_compiling_does_not_change_state_dict_keys(tmp_path, model):
    config = toy_config(tmp_path, model=dict(type=model, dropout=0.0), compile=dict(backend='eager'))
    config.train_cfg.max_iters = 2
    runner = train(config)
    assert runner.model.encoder._compiled_call_impl is not None or runner.model._compiled_call_impl is not None
    assert getattr(runner.model, 'options', dict(backend='eager')) == dict(backend='eager')
    assert load_checkpoint(tmp_path / 'iter_2.pth')['state_dict'].keys() == ToyModel().state_dict().keys()


def test_precision_and_cudnn_are_settings(tmp_path):
    before = torch.get_float32_matmul_precision()
    try:
        LeoRunner.from_cfg(toy_config(tmp_path, env_cfg=dict(cudnn_benchmark=True, float32_matmul_precision='high')))
        assert torch.get_float32_matmul_precision() == 'high' and torch.backends.cudnn.benchmark
        LeoRunner.from_cfg(toy_config(tmp_path))
        assert torch.get_float32_matmul_precision() == 'highest' and not torch.backends.cudnn.benchmark
    finally:
        torch.set_float32_matmul_precision(before)
    with pytest.raises(UserError, match="env_cfg.cudnn_bench is unknown; did you mean 'cudnn_benchmark'"):
        LeoRunner.from_cfg(toy_config(tmp_path, env_cfg=dict(cudnn_bench=True)))
    with pytest.raises(UserError, match="float32_matmul_precision='tf32' must be one of highest, high, medium"):
        LeoRunner.from_cfg(toy_config(tmp_path, env_cfg=dict(float32_matmul_precision='tf32')))


def test_two_runners_built_within_a_second_share_nothing(tmp_path, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, 'time', lambda: now)
    first, second = (LeoRunner.from_cfg(toy_config(tmp_path)) for _ in range(2))
    assert first.message_hub is not second.message_hub and first.log_dir != second.log_dir


def test_a_loop_missing_in_the_config_is_an_error(tmp_path):
    config = toy_config(tmp_path, train_dataloader=None, train_cfg=None, optim_wrapper=None, param_scheduler=None)
    with pytest.raises(UserError, match='no train_dataloader and train_cfg, so there is nothing to train'):
        train(config)
    runner = LeoRunner.from_cfg(config)
    for run, name in ((runner.val, 'val'), (runner.test, 'test')):
        with pytest.raises(UserError, match=f'nothing to {name}'):
            run()


def test_validation_without_training(tmp_path):
    train(toy_config(tmp_path / 'a'))
    config = toy_config(tmp_path / 'b', load_from=str(tmp_path / 'a' / 'iter_12.pth'), **with_validation())
    assert LeoRunner.from_cfg(config).val()['toy/error'] > 0


def test_the_checkpoint_hook_of_mmengine_works(tmp_path):
    config = toy_config(tmp_path)
    config.default_hooks.checkpoint = dict(type='CheckpointHook', interval=4, by_epoch=False, max_keep_ckpts=2)
    train(config)
    config.merge_from_dict(dict(resume='auto', train_cfg=dict(max_iters=16)))
    assert train(config).resumed_from.name == 'iter_12.pth'
    assert sorted(file.name for file in tmp_path.glob('*.pth')) == ['iter_12.pth', 'iter_16.pth']


def test_a_run_that_cannot_start_does_not_replace_the_saved_config(tmp_path):
    (tmp_path / 'toy.py').write_text(toy_config(tmp_path / 'run').pretty_text)
    train(load_config(tmp_path / 'toy.py'))
    saved = (tmp_path / 'run' / 'toy.py').read_text()
    other = load_config(tmp_path / 'toy.py', {'model.width': 4})
    with pytest.raises(UserError, match='already holds checkpoints'):
        train(other)
    other.resume = 'auto'
    with pytest.raises(UserError, match='another shape'):
        train(other)
    assert (tmp_path / 'run' / 'toy.py').read_text() == saved
