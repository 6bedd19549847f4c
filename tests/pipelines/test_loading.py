"""Models from files; a file of another kind is one sentence."""

import pytest
from mmengine.config import Config

from leokit.pipelines import animator_of, change_sampler, load_animator, load_motion_diffusion
from leokit.utils import UserError
from tools.tiny_runs import write_models


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


def test_loading(models, animator):
    loaded = load_animator(models['animator_config'], models['animator'])
    assert loaded.weights_hash() == animator.weights_hash() and not loaded.training
    motion = load_motion_diffusion(Config.fromfile(models['motion_config']), models['motion'])
    assert motion.animator_weights_hash == animator.weights_hash() and not motion.training


def test_another_kind_of_model(models):
    with pytest.raises(UserError, match='builds MotionDiffusion; here a config of an animator'):
        load_animator(models['motion_config'], models['motion'])
    with pytest.raises(UserError, match='builds Animator; here a config of a motion diffusion'):
        load_motion_diffusion(models['animator_config'], models['animator'])
    with pytest.raises(UserError, match='size'):
        load_animator(models['animator_config'], models['animator'], cfg_options={'model.motion_dim': 5})


def test_animator_of_config_and_command_line():
    config = Config(dict(animator=dict(config='a.py', checkpoint='a.pth')))
    assert animator_of(config) == dict(config='a.py', checkpoint='a.pth')
    assert animator_of(config, dict(config=None, checkpoint='b.pth')) == dict(config='a.py', checkpoint='b.pth')
    assert animator_of(Config(dict()), dict(config='c.py', checkpoint='c.pth'))['config'] == 'c.py'
    with pytest.raises(UserError, match='--animator-checkpoint'):
        animator_of(Config(dict(animator=dict(config='a.py'))))


def test_sampler_changes():
    config = Config(dict(model=dict(sampler=dict(type='DDPMSampler', num_steps=9))))
    assert change_sampler(config, num_steps=3).model.sampler == dict(type='DDPMSampler', num_steps=3)
    assert config.model.sampler.num_steps == 9
    assert change_sampler(Config(dict(model=dict())), eta=0.5).model.sampler == dict(type='DDIMSampler', eta=0.5)
    assert 'sampler' not in change_sampler(Config(dict(model=dict()))).model
