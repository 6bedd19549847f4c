import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import default_collate

from leokit.datasets import CodeCacheWriter, MotionCodeDataset, SampleKey
from leokit.utils import UserError, weights_hash
from leokit.utils.hashing import checkpoint_hash

ANIMATOR = dict(weights_hash='ab' * 32, config='lia.py', checkpoint='lia.pth')
LENGTHS = dict(a=7, b=2, c=12)


@pytest.fixture
def folder(tmp_path):
    """Codes whose entries are 1000 * video + frame."""
    with CodeCacheWriter(tmp_path / 'codes', 3, animator=ANIMATOR) as writer:
        for number, (name, length) in enumerate(LENGTHS.items()):
            codes = 1000 * number + np.arange(length)[:, None] + np.zeros(3)
            writer.add(name, codes, identity=f'p{number}', split='train' if name == 'a' else 'test', fps=25)
    return tmp_path / 'codes'


def test_all_windows_within_videos(folder):
    dataset = MotionCodeDataset(folder, 4)
    assert len(dataset) == 4 + 0 + 9
    seen = []
    for index in range(len(dataset)):
        item = dataset[index]
        motion, sample = item['inputs']['motion'], item['data_samples']
        assert motion.shape == (4, 3) and motion.dtype == torch.float32
        number = 'abc'.index(sample['name'])
        assert motion[:, 0].tolist() == [1000 * number + sample['start'] + step for step in range(4)]
        seen.append((sample['name'], sample['start']))
    assert seen == [*(('a', start) for start in range(4)), *(('c', start) for start in range(9))]


def test_short_videos_are_reported(folder):
    dataset = MotionCodeDataset(folder, 4)
    assert [tuple(skipped) for skipped in dataset.skipped] == [('b', '2 codes in use, 4 needed')]
    with pytest.raises(UserError, match='lower num_frames'):
        MotionCodeDataset(folder, 50)


def test_stride_and_filters(folder):
    assert len(MotionCodeDataset(folder, 4, stride=4)) == 1 + 3
    held_out = MotionCodeDataset(folder, 3, filters=dict(split='test', segment=(0.5, 1)))
    assert {item['data_samples']['name'] for item in held_out} == {'c'}
    assert [item['data_samples']['start'] for item in held_out] == [6, 7, 8, 9]
    assert held_out[0]['inputs']['motion'][:, 0].tolist() == [2006, 2007, 2008]


def test_a_batch_equals_its_single_items(folder):
    dataset = MotionCodeDataset(folder, 4)
    indices = [3, 12, 0, 3]
    batch = default_collate(dataset.__getitems__([SampleKey(index, 99) for index in indices]))
    single = default_collate([dataset[index] for index in indices])
    assert torch.equal(batch['inputs']['motion'], single['inputs']['motion'])
    assert batch['data_samples']['name'] == single['data_samples']['name']
    assert batch['data_samples']['start'].tolist() == single['data_samples']['start'].tolist()
    with pytest.raises(IndexError):
        dataset[13]


def test_in_a_data_loader_that_mmengine_builds(folder):
    loader = Runner.build_dataloader(dict(
        dataset=dict(type='MotionCodeDataset', codes_dir=str(folder), num_frames=4, _scope_='leokit'), batch_size=5,
        sampler=dict(type='DeterministicSampler', _scope_='leokit'), collate_fn=dict(type='default_collate')), seed=0)
    stream = iter(loader)
    starts = [tuple(row) for _ in range(13) for row in next(stream)['inputs']['motion'][:, 0].tolist()]
    assert len(starts) == 65 and all(starts.count(row) == 5 for row in set(starts)) and len(set(starts)) == 13


def test_statistics_are_those_of_the_windows_in_use(folder):
    statistics = MotionCodeDataset(folder, 4, filters=dict(split='train')).statistics()
    np.testing.assert_allclose(statistics['mean'], np.full(3, 3.0))
    np.testing.assert_allclose(statistics['residual_std'], np.full(3, np.sqrt((1 + 4 + 9) / 3)))
    single = MotionCodeDataset(folder, 1).statistics()
    np.testing.assert_array_equal(single['residual_std'], single['std'])


def test_the_animator_is_checked(folder, tmp_path):
    assert MotionCodeDataset(folder, 4, animator_hash=ANIMATOR['weights_hash']).animator_hash == 'ab' * 32
    with pytest.raises(UserError, match='belong to different animators'):
        MotionCodeDataset(folder, 4, animator_hash='cd' * 32)
    torch.save(dict(state_dict={'encoder.w': torch.ones(3)}), tmp_path / 'other.pth')
    with pytest.raises(UserError, match='belong to different animators'):
        MotionCodeDataset(folder, 4, animator_checkpoint=tmp_path / 'other.pth')


def test_the_hash_of_a_checkpoint_is_that_of_its_inference_weights(tmp_path):
    weights = {'encoder.w': torch.ones(3), 'motion_space.q': torch.zeros(2), 'flow_generator.b': torch.ones(1)}
    torch.save(dict(state_dict={**weights, 'discriminator.w': torch.ones(9)}), tmp_path / 'a.pth')
    assert checkpoint_hash(tmp_path / 'a.pth') == weights_hash(weights)
    torch.save(dict(state_dict={'backbone.w': torch.ones(3)}), tmp_path / 'b.pth')
    with pytest.raises(UserError, match='not an animator checkpoint'):
        checkpoint_hash(tmp_path / 'b.pth')
    with pytest.raises(UserError, match='missing.pth'):
        checkpoint_hash(tmp_path / 'missing.pth')


@pytest.mark.parametrize('options', [dict(num_frames=0), dict(num_frames=4, stride=0),
                                     dict(num_frames=4, filters=dict(categories='face'))])
def test_wrong_options(folder, options):
    with pytest.raises(UserError):
        MotionCodeDataset(folder, **options)
