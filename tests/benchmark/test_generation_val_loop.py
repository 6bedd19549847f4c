"""Validation on video during training: cached real clips, and an unchanged training."""

import numpy as np
import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch
from mmengine.config import Config

from leokit.benchmark.generation_val_loop import GenerationValLoop
from leokit.datasets import CodeCacheWriter
from leokit.engine import LeoRunner
from leokit.evaluation import load_records
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import load_checkpoint
from support.recorder import seen
from support.tiny_models import MOTION_DIM, SIZE, WINDOW, make_animator
from support.tiny_runs import write_models

CLIPS, ITERATIONS = 4, 6
DISTANCE = 'video/fvd-tiny_dt@4x1'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Models, videos and codes."""
    folder = tmp_path_factory.mktemp('stage2')
    write_models(folder)
    (folder / 'videos').mkdir()
    random = np.random.default_rng(0)
    with CodeCacheWriter(folder / 'codes', MOTION_DIM,
                         animator=dict(weights_hash=make_animator().weights_hash())) as writer:
        for number in range(CLIPS):
            frames = random.integers(0, 256, (WINDOW + 1, SIZE, SIZE, 3), dtype=np.uint8)
            np.save(folder / 'videos' / f'{number}.npy', frames)
            writer.add(str(number), random.standard_normal((30, MOTION_DIM)).astype(np.float32).cumsum(0),
                       identity=str(number), split=None, fps=25.0)
    return folder


def make_config(folder, work_dir, val_interval=2, **changes):
    collate = dict(type='default_collate')
    protocol = dict(name='tiny', clips=dict(length=4), frames=dict(resolution=16))
    validation = dict(
        val_cfg=dict(type='GenerationValLoop', num_sequences=2,
                     motion_evaluator=[dict(type='MotionStatistics', segments=2)]),
        val_dataloader=dict(
            batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False), collate_fn=collate,
            dataset=dict(type='ClipDataset', data_root=str(folder / 'videos'), size=SIZE, num_frames=WINDOW,
                         max_clips=3)),
        val_evaluator=[dict(type='VideoDistances', extractor=dict(type='TinyImageFeatures'), protocol=protocol,
                            cache_real=True),
                       dict(type='Recorder', name='seen')])
    return Config(dict(
        default_scope='leokit', work_dir=str(work_dir), model=Config.fromfile(folder / 'motion.py').model,
        animator=dict(config=str(folder / 'animator.py'), checkpoint=str(folder / 'animator.pth')),
        train_dataloader=dict(
            batch_size=4, num_workers=0, sampler=dict(type='DeterministicSampler'), collate_fn=collate,
            dataset=dict(type='MotionCodeDataset', codes_dir=str(folder / 'codes'), num_frames=WINDOW)),
        train_cfg=dict(type='ResumableTrainLoop', max_iters=ITERATIONS, val_interval=val_interval),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01)),
        param_scheduler=[], log_processor=dict(by_epoch=False), randomness=dict(seed=3),
        default_hooks=dict(logger=dict(type='LoggerHook', interval=1),
                           checkpoint=dict(type='AtomicCheckpointHook', interval=3)),
        custom_hooks=[dict(type='MotionStatisticsHook'), dict(type='EMAHook', decay=0.9)],
        **{**validation, **changes}))


def train(config):
    seen.clear()
    runner = LeoRunner.from_cfg(config)
    runner.train()
    return runner


def weights(work_dir):
    checkpoint = load_checkpoint(work_dir / f'iter_{ITERATIONS}.pth')
    return {**checkpoint['state_dict'], **{f'raw {key}': value for key, value in checkpoint['raw_state_dict'].items()}}


def assert_equal(one, other):
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.fixture(scope='module')
def plain(folder, tmp_path_factory):
    """Weights of a training without validation."""
    work_dir = tmp_path_factory.mktemp('plain')
    train(make_config(folder, work_dir, val_cfg=None))
    return weights(work_dir)


def test_training_is_unchanged_and_metrics_are_named(folder, plain, tmp_path):
    config = make_config(folder, tmp_path)
    config.default_hooks.checkpoint.save_best = DISTANCE
    config.val_evaluator[0].records = str(tmp_path / 'records.json')
    runner = train(config)
    assert_equal(weights(tmp_path), plain)
    history = runner.message_hub.log_scalars
    for key in (DISTANCE, 'video/kvd-tiny_dt@4x1', 'motion/jitter_ratio', 'motion/diversity',
                'motion/frechet-codes_dt'):
        assert len(history[f'val/{key}'].data[0]) == 3
    assert [record.run.step for record in load_records(tmp_path / 'records.json')] == [2, 2, 4, 4, 6, 6]
    distances = history[f'val/{DISTANCE}'].data[0]
    assert len(set(distances)) == 3 and np.isfinite(distances).all()
    best = list(tmp_path.glob('best_*.pth'))
    assert [path.name for path in best] == [
        f'best_{DISTANCE.replace("/", "_")}_iter_{2 * (1 + int(np.argmin(distances)))}.pth']


def test_a_resumed_training_is_the_same(folder, plain, tmp_path):
    first = make_config(folder, tmp_path, val_interval=1)
    first.train_cfg.max_iters = 3
    train(first)
    resumed = make_config(folder, tmp_path, val_interval=1)
    resumed.resume = 'auto'
    assert train(resumed).resumed_from.name == 'iter_3.pth'
    assert_equal(weights(tmp_path), plain)


def test_averaged_weights_are_validated(folder, tmp_path):
    used = []

    class Spy(GenerationValLoop):
        def predict(self, generator, batch):
            used.append({key: tensor.clone() for key, tensor in generator.motion_diffusion.state_dict().items()})
            return super().predict(generator, batch)

    runner = LeoRunner.from_cfg(make_config(folder, tmp_path, val_interval=ITERATIONS))
    config = runner.cfg.val_cfg.to_dict()
    config.pop('type')
    runner._val_loop = Spy(runner, runner._val_dataloader, evaluator=runner._val_evaluator, **config)
    runner.train()
    checkpoint = load_checkpoint(tmp_path / f'iter_{ITERATIONS}.pth')
    averaged, raw = checkpoint['state_dict'], checkpoint['raw_state_dict']
    assert all(torch.equal(used[0][key], averaged[key]) for key in averaged)
    assert any(not torch.equal(averaged[key], raw[key]) for key in raw)
    assert all(torch.equal(runner.model.state_dict()[key], raw[key]) for key in raw)  # and restored


def test_real_clips_are_encoded_once_and_noise_is_the_same(folder, tmp_path, monkeypatch):
    from leokit.models import Animator
    encoded = []
    encode = Animator.encode
    monkeypatch.setattr(Animator, 'encode', lambda self, images: (encoded.append(len(images)), encode(self, images))[1])
    config = make_config(folder, tmp_path, val_interval=3)
    config.optim_wrapper.optimizer.lr = 0.0
    train(config)
    assert sum(encoded) == 2 * 3 + 3 * WINDOW  # the first frames in both validations, all frames in one
    first, second = seen['seen'][:3], seen['seen'][3:]
    for one, other in zip(first, second, strict=True):
        assert one['name'] == other['name']
        assert torch.equal(one['real_motion'], other['real_motion'])
        torch.testing.assert_close(one['generated'], other['generated'])


def test_generated_clips_are_kept_by_iteration(folder, tmp_path):
    config = make_config(folder, tmp_path, val_interval=3)
    config.val_cfg.out_dir = 'clips'
    train(config)
    assert sorted(path.name for path in (tmp_path / 'clips').iterdir()) == ['iter_3', 'iter_6']
    assert sorted(path.name for path in (tmp_path / 'clips' / 'iter_6').iterdir()) == [
        '0_000000.mp4', '1_000000.mp4', '2_000000.mp4', 'sheet.png']


@pytest.mark.parametrize('key, value, message', [
    ('model.motion_dim', 3, 'codes|motion'), ('val_dataloader.dataset.size', 64, 'size=64 does not fit the animator')])
def test_mistakes_are_found_before_the_training(folder, tmp_path, key, value, message):
    config = make_config(folder, tmp_path)
    config.merge_from_dict({key: value})
    with pytest.raises(UserError, match=message):
        train(config)
    assert not list(tmp_path.glob('*.pth'))


def test_training_from_codes_alone(folder, plain, tmp_path):
    config = make_config(folder, tmp_path)
    config.val_dataloader.dataset.data_root = str(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='nowhere.*set val_cfg=None'):
        train(config)
    config.val_cfg = None
    train(config)
    assert_equal(weights(tmp_path), plain)


@pytest.mark.parametrize('name', ['lmdm_synthetic', 'lmdm_few_faces', 'lmdm_celebv'])
def test_recipes_validate_on_few_clips(name):
    config = load_config(f'configs/leo/{name}.py')
    assert config.val_cfg.type == 'GenerationValLoop'
    assert config.val_dataloader.dataset.max_clips == 32
    assert config.train_cfg.val_interval >= 2000 and all(
        part.cache_real for part in config.val_evaluator)
