"""Models from files; a file of another kind is one sentence."""

from pathlib import Path

import pytest
from mmengine.config import Config

from leokit.inference import (
    animator_of, change_sampler, load_animator, load_motion_diffusion, load_start_frame_diffusion)
from leokit.inference.loading import checkpoint_file
from leokit.utils import UserError
from leokit.utils.checkpoints import save_checkpoint
from support.tiny_runs import write_models


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


def test_loading(models, animator):
    loaded = load_animator(models['animator_config'], models['animator'])
    assert loaded.weights_hash() == animator.weights_hash() and not loaded.training
    motion = load_motion_diffusion(Config.fromfile(models['motion_config']), models['motion'])
    assert motion.animator_weights_hash == animator.weights_hash() and not motion.training


def test_a_work_dir_stands_for_its_newest_checkpoint(tmp_path):
    with pytest.raises(UserError, match='holds no checkpoint'):
        checkpoint_file(tmp_path)
    for number in (9, 10):
        save_checkpoint(dict(meta={}, state_dict={}), tmp_path / f'iter_{number}.pth')
    assert checkpoint_file(tmp_path) == tmp_path / 'iter_10.pth'
    assert checkpoint_file('any.pth') == Path('any.pth')


def test_another_kind_of_model(models):
    with pytest.raises(UserError, match='builds MotionDiffusion; here a config of an animator'):
        load_animator(models['motion_config'], models['motion'])
    with pytest.raises(UserError, match='builds Animator; here a config of a motion diffusion'):
        load_motion_diffusion(models['animator_config'], models['animator'])
    with pytest.raises(UserError, match='builds MotionDiffusion; here a config of a start-frame model'):
        load_start_frame_diffusion(models['motion_config'], models['motion'])
    with pytest.raises(UserError, match='another shape'):
        load_animator(models['animator_config'], models['animator'], cfg_options={'model.motion_dim': 5})


def test_animator_of_config_and_command_line():
    config = Config(dict(animator=dict(config='a.py', checkpoint='a.pth')))
    assert animator_of(config) == dict(config='a.py', checkpoint='a.pth')
    assert animator_of(config, dict(config=None, checkpoint='b.pth')) == dict(config='a.py', checkpoint='b.pth')
    assert animator_of(Config(dict()), dict(config='c.py', checkpoint='c.pth'))['config'] == 'c.py'
    with pytest.raises(UserError, match='--animator-checkpoint'):
        animator_of(Config(dict(animator=dict(config='a.py'))))


def test_sampler_changes():
    config = Config(dict(model=dict(sampler=dict(type='DDPMSampler', num_inference_steps=9))))
    changed = change_sampler(config, num_inference_steps=3)
    assert changed.model.sampler == dict(type='DDPMSampler', num_inference_steps=3)
    assert config.model.sampler.num_inference_steps == 9
    assert change_sampler(Config(dict(model=dict())), eta=0.5).model.sampler == dict(type='DDIMSampler', eta=0.5)
    assert 'sampler' not in change_sampler(Config(dict(model=dict()))).model
