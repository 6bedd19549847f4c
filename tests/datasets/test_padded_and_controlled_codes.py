"""Motion codes of videos shorter than a window, and of videos with a control sequence."""

import json

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from leokit.datasets import CodeCacheWriter, MotionCodeDataset, load_controls, resample_control, save_controls
from leokit.engine import LeoRunner
from leokit.utils import UserError, load_config
from leokit.utils.npy import HEADER_BYTES

ANIMATOR = dict(weights_hash='ab' * 32, config='lia.py', checkpoint='lia.pth')
LENGTHS = dict(a=7, b=2, c=12, d=1)
N = 3


def write_codes(folder, lengths=LENGTHS, codes=None):
    """Codes whose entries are 1000 * video + frame."""
    with CodeCacheWriter(folder, N, animator=ANIMATOR) as writer:
        for number, (name, length) in enumerate(lengths.items()):
            rows = 1000 * number + np.arange(length)[:, None] + np.zeros(N) if codes is None else codes[name]
            writer.add(name, rows, identity=f'p{number}', split='train', fps=25)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_codes(tmp_path / 'codes')


def controls_of(lengths=LENGTHS):
    """Two channels: minus the entries of the codes, and the frame."""
    return {name: np.stack([-1000.0 * number - np.arange(length), np.arange(length)], axis=1)
            for number, (name, length) in enumerate(lengths.items())}


def test_short_videos_are_padded(folder):
    dataset = MotionCodeDataset(folder, 4, min_frames=2)
    items = {(item['data_samples']['name'], item['data_samples']['start']): item['inputs'] for item in dataset}
    assert sorted(items) == [*(('a', k) for k in range(4)), ('b', 0), *(('c', k) for k in range(9))]
    assert items['b', 0]['mask'].tolist() == [True, True, False, False]
    assert items['b', 0]['motion'][:, 0].tolist() == [1000, 1001, 1001, 1001]
    assert items['c', 8]['mask'].all() and items['c', 8]['motion'][:, 0].tolist() == [2008, 2009, 2010, 2011]
    assert [skipped.file for skipped in dataset.skipped] == ['d']
    assert len(MotionCodeDataset(folder, 4, min_frames=1)) == len(dataset) + 1
    assert 'mask' not in MotionCodeDataset(folder, 4)[0]['inputs']


def test_statistics_with_short_videos(folder):
    whole = MotionCodeDataset(folder, 4, min_frames=1).statistics()
    every = np.concatenate([1000 * number + np.arange(length) for number, length in enumerate(LENGTHS.values())])
    assert np.allclose(whole['mean'], every.mean()) and np.allclose(whole['std'], every.std())
    assert np.allclose(whole['residual_std'], np.sqrt((1 + 4 + 9) / 3))
    longest = MotionCodeDataset(folder, 50, min_frames=1).statistics()['residual_std']  # all shorter than T
    assert np.allclose(longest, np.sqrt(np.mean(np.arange(1, 12) ** 2)))


def test_every_code_has_its_control(folder, tmp_path):
    save_controls(tmp_path / 'controls.npz', controls_of(), channels=('x', 'frame'))
    dataset = MotionCodeDataset(folder, 4, min_frames=2, controls=tmp_path / 'controls.npz')
    batch = default_collate(dataset.__getitems__([0, 4, 13, 7]))['inputs']
    assert batch['control'].shape == (4, 4, 2) and batch['control'].dtype == torch.float32
    assert torch.equal(batch['control'][..., 0], -batch['motion'][..., 0])
    assert batch['control'][2, :, 1].tolist() == [8, 9, 10, 11]
    statistics = dataset.control_statistics()
    assert np.allclose(statistics['mean'][1], np.mean([*range(7), *range(2), *range(12)]))
    assert np.allclose(statistics['std'][1], np.std([*range(7), *range(2), *range(12)]))


def test_controls_of_another_rate_are_resampled(folder, tmp_path):
    lengths = {name: 4 * length for name, length in LENGTHS.items()}
    save_controls(tmp_path / 'controls.npz', {name: np.arange(length)[:, None] / 100.0
                                              for name, length in lengths.items()}, channels=('time',), fps=100)
    dataset = MotionCodeDataset(folder, 7, controls=tmp_path / 'controls.npz')
    assert torch.allclose(dataset[0]['inputs']['control'][:, 0], torch.arange(7) / 25)


def test_resampling_interpolates_and_ends_with_the_control():
    control = np.array([[0.0, 1.0], [10.0, 1.0], [20.0, 3.0]])
    assert np.allclose(resample_control(control, 10, 20, 6)[:, 0], [0, 5, 10, 15, 20, 20])
    assert np.allclose(resample_control(control, 10, 5, 2), [[0, 1], [20, 3]])
    assert len(resample_control(control, 10, 20, 40)) == 7  # 0.3 seconds and the frame at their end


@pytest.mark.parametrize('change, message', [
    (lambda c: c.update(c=c['c'][:9]), 'the control of c in .*controls.npz has 9 rows, and the video has 12 motion'),
    (lambda c: c.pop('a'), 'controls.npz has no control of the video a'),
    (lambda c: c['a'].__setitem__((3, 1), np.nan), 'the control of a in .* not finite')])
def test_a_control_that_does_not_fit_is_one_sentence(folder, tmp_path, change, message):
    controls = controls_of()
    change(controls)
    save_controls(tmp_path / 'controls.npz', controls, channels=('x', 'frame'))
    with pytest.raises(UserError, match=message):
        MotionCodeDataset(folder, 4, controls=tmp_path / 'controls.npz')


def test_files_that_are_no_controls_are_one_sentence(folder, tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        MotionCodeDataset(folder, 4, controls=tmp_path / 'absent.npz')
    (tmp_path / 'text.npz').write_text('no arrays')
    with pytest.raises(UserError, match='text.npz is not a control file'):
        load_controls(tmp_path / 'text.npz')
    with pytest.raises(ValueError, match=r'controls must have shape \(rows, 1\), got \(7, 2\)'):
        save_controls(tmp_path / 'x.npz', controls_of(), channels=('x',))
    with pytest.raises(UserError, match='min_frames=5'):
        MotionCodeDataset(folder, 4, min_frames=5)


def test_codes_that_are_not_finite_are_one_sentence(folder):
    """In a cache without checksums, as older versions wrote them."""
    index = json.loads((folder / 'index.json').read_text())
    del index['checksums']
    (folder / 'index.json').write_text(json.dumps(index))
    codes = np.memmap(folder / 'codes.npy', np.float32, mode='r+', offset=HEADER_BYTES, shape=(22, N))
    codes[10, 1] = np.nan  # of c
    codes.flush()
    with pytest.raises(UserError, match='the codes of c in .* are not finite; delete the folder and extract'):
        MotionCodeDataset(folder, 4)


@pytest.mark.parametrize('lengths, settings', [
    (dict(only=9), dict(num_frames=4)),  # one video
    (dict(only=2), dict(num_frames=2, sequences_per_batch=1)),  # one window of two frames, batch 1
    (dict(a=9, b=3, c=2), {'num_frames': 6, 'train_dataloader.dataset.min_frames': 2})])
def test_smallest_datasets_train(tmp_path, lengths, settings):
    generator = np.random.default_rng(0)
    codes = {name: generator.normal(size=(length, N)).cumsum(axis=0) for name, length in lengths.items()}
    write_codes(tmp_path / 'codes', lengths, codes)
    save_controls(tmp_path / 'controls.npz', codes, channels='xyz')
    config = load_config('lmdm_synthetic', {
        'motion_dim': N, 'codes_dir': str(tmp_path / 'codes'), 'max_iters': 3, 'sequences_per_batch': 4,
        'val_cfg': None, 'data_root': None, 'code_filters': {}, 'model.backbone.channels': (16,),
        'model.backbone.attention_levels': (), 'model.backbone.head_dim': 16, 'model.backbone.num_blocks': 1,
        'model.conditioning': dict(control=dict(type='MLPControlEncoder', control_dim=N, dim=4)),
        'train_dataloader.dataset.controls': str(tmp_path / 'controls.npz'), **settings})
    config.work_dir = str(tmp_path / 'run')
    runner = LeoRunner.from_cfg(config)
    runner.train()
    encoder = runner.model.conditioning.control_encoder
    every = np.concatenate(list(codes.values()))
    assert np.allclose(encoder.mean, every.mean(axis=0), atol=1e-4)
    assert np.allclose(encoder.std, every.std(axis=0), atol=1e-4)
    assert all(bool(torch.isfinite(value).all()) for value in runner.model.parameters())
