"""Pairs of noise and a teacher's sequence."""

import pytest
import torch
from support.code_caches import MOTION_DIM, write_code_cache

import leokit
from leokit.datasets import MotionCodeDataset, TeacherPairDataset
from leokit.models import MotionDiffusion
from leokit.utils import UserError
from leokit.utils.config import Config

T = 6
MODEL = dict(type='MotionDiffusion', motion_dim=MOTION_DIM, num_frames=T, prediction_type='v',
             noise_scheduler=dict(type='FlowMatchingScheduler', num_train_timesteps=100),
             sampler=dict(type='EulerSampler', num_inference_steps=3),
             backbone=dict(type='UNet1D', channels=(8,), num_blocks=1, attention_levels=(), embedding_dim=8,
                           head_dim=8))


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A code cache and a teacher with random weights."""
    folder = tmp_path_factory.mktemp('pairs')
    torch.manual_seed(0)
    teacher = MotionDiffusion(**{key: value for key, value in MODEL.items() if key != 'type'}).eval()
    torch.nn.init.normal_(teacher.backbone.out.weight, std=0.3)
    teacher.normalizer.set_statistics([0.1] * MOTION_DIM, [1.5] * MOTION_DIM, animator_hash='ab' * 32)
    teacher.cfg = Config(dict(default_scope='leokit', model=MODEL))
    teacher.save_pretrained(folder / 'teacher')
    return write_code_cache(folder / 'codes'), folder / 'teacher'


def build(files, **options):
    return TeacherPairDataset(files[0], T, teacher=dict(checkpoint=str(files[1])), device='cpu', **{
        'num_pairs': 50, 'chunk_size': 16, 'filters': dict(split='train'), **options})


def test_every_sequence_is_what_the_teacher_makes_of_its_noise(files):
    pairs, teacher = build(files), leokit.load(files[1])
    items = pairs.__getitems__([3, 40, 49])
    assert len(pairs) == 50
    for item in items:
        motion, noise = item['inputs']['motion'], item['inputs']['noise']
        again = teacher.sample(motion[None, 0], T, noise=noise[None])[0]
        assert noise.shape == (T - 1, MOTION_DIM) and torch.allclose(again, motion, atol=1e-5)
        first = next(window for window in MotionCodeDataset(files[0], T)
                     if window['data_samples'] == item['data_samples'])['inputs']['motion'][0]
        assert torch.equal(first, motion[0])
    assert (items[0]['inputs']['noise'] - items[1]['inputs']['noise']).abs().max() > 0.1


def test_all_windows_are_used_and_no_others(files):
    windows = MotionCodeDataset(files[0], T, filters=dict(split='train'))
    pairs = build(files, num_pairs=2 * len(windows))
    used = [tuple(label.values()) for label in pairs.labels(torch.arange(len(pairs)).numpy())]
    known = [tuple(label.values()) for label in windows.labels(torch.arange(len(windows)).numpy())]
    assert sorted(used) == sorted(2 * known)
    assert (pairs.statistics()['mean'] == windows.statistics()['mean']).all()


def test_pairs_are_a_function_of_the_seed(files):
    first, same, other = (build(files, seed=seed).gather(torch.arange(50))['noise'] for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert abs(float(first.mean())) < 0.1 and abs(float(first.std()) - 1) < 0.1


def test_another_sampler_makes_other_sequences(files):
    few, many = (build(files, sampler=dict(type='EulerSampler', num_inference_steps=steps)).pairs()
                 for steps in (3, 50))
    assert torch.equal(few[1], many[1]) and not torch.allclose(few[0], many[0], atol=1e-3)
    assert torch.allclose(few[0], build(files).pairs()[0])  # the teacher's own


@pytest.mark.parametrize('options, message', [
    (dict(teacher={}), 'teacher of the dataset must be dict'), (dict(num_pairs=0), 'num_pairs and chunk_size')])
def test_mistakes_are_sentences(files, options, message):
    with pytest.raises(UserError, match=message):
        TeacherPairDataset(files[0], T, **{'teacher': dict(checkpoint=str(files[1])), **options})
