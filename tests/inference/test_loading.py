"""One way to every model: config file, name, work dir or checkpoint; mistakes are one sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from engine.toys import toy_config, train
from mmengine.config import Config

import leokit
from leokit.apis import init_model
from leokit.inference import animator_of, change_sampler
from leokit.inference.model_source import checkpoint_file
from leokit.long_video import Overlap
from leokit.models import Animator, MotionDiffusion, StartCodeDiffusion, StartFrameDiffusion
from leokit.utils import UserError, load_config
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint
from support.tiny_runs import write_leo, write_models


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config file, and a checkpoint with an average."""
    folder = tmp_path_factory.mktemp('trained')
    config = toy_config(folder / 'run', custom_hooks=[dict(type='EMAHook')])
    (folder / 'toy.py').write_text(f'width = 6\n{config.pretty_text}'.replace(
        "type='ToyModel'", "type='ToyModel', width='$width'"))
    train(load_config(folder / 'toy.py'))
    return folder / 'toy.py', folder / 'run' / 'iter_12.pth'


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    return write_models(tmp_path_factory.mktemp('models'))


def assert_same_weights(model, checkpoint):
    averaged = load_checkpoint(checkpoint)['state_dict']
    assert all(torch.equal(weight, averaged[key]) for key, weight in model.state_dict().items())


def test_a_model_has_the_averaged_weights_and_is_ready(trained):
    config, checkpoint = trained
    model = leokit.load(config, checkpoint)
    assert_same_weights(model, checkpoint)
    assert not model.training and model.cfg.width == 6 and model.checkpoint == checkpoint
    x = torch.ones(2, 6)
    assert torch.equal(model(dict(x=x)), leokit.load(str(config), str(checkpoint), torch.device('cpu'))(dict(x=x)))


def test_a_work_dir_or_its_checkpoint_is_enough(trained, tmp_path):
    config, checkpoint = trained
    shutil.copy(checkpoint, tmp_path)  # without the saved config
    for source in (checkpoint.parent, str(checkpoint), tmp_path):
        model = leokit.load(source)
        assert_same_weights(model, checkpoint)
        assert model.cfg.width == 6 and model.checkpoint.name == 'iter_12.pth'
        with pytest.raises(UserError, match='have another shape'):  # references of the config are kept
            leokit.load(source, cfg_options=dict(width=4))
    assert leokit.load(tmp_path, checkpoint.parent / 'iter_8.pth').checkpoint.name == 'iter_8.pth'


def test_a_checkpoint_of_leokit_0_1_carries_the_text_of_its_config(trained, tmp_path):
    content = load_checkpoint(trained[1])
    content['meta']['cfg'] = load_config(trained[0]).pretty_text
    torch.save(content, tmp_path / 'old.pth')
    assert_same_weights(leokit.load(tmp_path / 'old.pth'), trained[1])
    content['meta']['cfg'] = f"x = __import__('os').system('touch {tmp_path}/executed')\n" + content['meta']['cfg']
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(UserError, match='bad.pth is not plain data'):
        leokit.load(tmp_path / 'bad.pth')
    assert not (tmp_path / 'executed').exists()


@pytest.mark.parametrize('crop', ['center', 'none'])
def test_an_animator_of_leokit_0_1_keeps_the_crop_of_its_training(tmp_path, crop):
    paths = write_models(tmp_path)
    content = load_checkpoint(paths['animator'])
    content['meta']['cfg'] = (f"{paths['animator_config'].read_text()}\ncrop = {crop!r}\n"
                              "train_dataloader = dict(dataset=dict(frames=dict(crop='$crop')))\n")
    torch.save(content, tmp_path / 'old.pth')
    assert leokit.load(paths['animator_config'], tmp_path / 'old.pth', expect=Animator).crop == crop
    assert leokit.load(tmp_path / 'old.pth', expect=Animator).crop == crop


@pytest.mark.parametrize('kind', ['os.system', 'mmengine.load', 'leokit.load', 'subprocess', 'ToyModel.__init__', 3])
def test_a_checkpoint_names_only_registered_types(trained, tmp_path, kind):
    """MMEngine imports and calls what ``type`` names if no registry has it."""
    content = load_checkpoint(trained[1])
    content['meta']['cfg'] = dict(model=dict(type='ToyModel', data_preprocessor=[dict(type=kind, command='true')]),
                                  custom_imports=dict(imports=['antigravity']))
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(UserError, match=rf"has the type {kind!r}, which is not registered; import \['antigravity'\]"):
        leokit.load(tmp_path / 'bad.pth')
    assert 'antigravity' not in sys.modules


def test_a_checkpoint_names_no_package_to_import(trained, tmp_path):
    content = load_checkpoint(trained[1])
    content['meta']['cfg']['default_scope'] = 'antigravity'  # MMEngine would import antigravity.registry
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(UserError, match="default_scope='antigravity', which is not imported"):
        leokit.load(tmp_path / 'bad.pth')
    assert 'antigravity' not in sys.modules


def test_options_and_config_objects_work_alike(trained):
    config = Config.fromfile(trained[0])
    assert leokit.load(config, cfg_options=dict(width=4)).encoder[0].in_features == 4
    assert config.width == 6 and config.model.width == '$width'
    assert leokit.load(trained[0], cfg_options=dict(width=4)).encoder[0].in_features == 4


def test_a_checkpoint_of_the_generator_alone_is_enough(trained, tmp_path):
    content = load_checkpoint(trained[1])
    content['state_dict'] = {key: weight for key, weight in content['state_dict'].items()
                             if not key.startswith('discriminator')}
    torch.save(content, tmp_path / 'generator.pth')
    leokit.load(trained[0], tmp_path / 'generator.pth')


def test_training_parts_are_not_built():
    model = dict(type='Animator', size=32, max_channels=8, training=dict(losses=[dict(type='NotInstalledHere')]))
    animator = leokit.load(Config(dict(model=model)))
    assert not len(animator.losses) and animator.cfg.model.training.losses[0].type == 'NotInstalledHere'


def test_the_name_of_a_shipped_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    animator = leokit.load('lia_synthetic_64', cfg_options=dict(max_channels=8))
    assert isinstance(animator, Animator) and animator.checkpoint is None
    with pytest.raises(UserError, match="did you mean 'lia_synthetic_64'"):
        leokit.load('lia_synthetic')


def test_every_kind_of_model(tmp_path):
    folder = write_leo(tmp_path).parent
    for name, kind in dict(animator=Animator, motion=MotionDiffusion, start_code=StartCodeDiffusion,
                           start_frame=StartFrameDiffusion).items():
        model = leokit.load(folder / f'{name}.py', folder / f'{name}.pth', expect=kind)
        assert type(model) is kind and not model.training


def test_a_config_with_the_strategy_on_top_builds_it(models, tmp_path):
    """As configs before leokit 0.2 did."""
    strategy = "continuation = dict(type='Overlap', codes=3)"
    (tmp_path / 'old.py').write_text(models['motion_config'].read_text() + strategy)
    with pytest.warns(FutureWarning):
        strategy = leokit.load(tmp_path / 'old.py', models['motion']).long_video
    assert isinstance(strategy, Overlap) and strategy.context_frames == 3


@pytest.mark.parametrize('options, sentence', [
    (dict(width=4), 'have another shape'), ({'model.type': 'ToyMdel'}, "did you mean 'ToyModel'"),
    (dict(wdth=4), "no top-level key 'wdth'; did you mean 'width'")])
def test_mistakes_in_options(trained, options, sentence):
    with pytest.raises(UserError, match=sentence):
        leokit.load(*trained, cfg_options=options)


def test_files_must_exist(trained, tmp_path):
    for arguments, message in (
            ((trained[0], 'none.pth'), 'none.pth does not exist'), (('none.py',), 'none.py does not exist'),
            (('none.pth',), 'none.pth does not exist'), ((Config(dict(width=3)),), "has no 'model'"),
            ((trained[1], 'other.pth'), 'two checkpoints were given'), ((tmp_path,), 'holds no checkpoint')):
        with pytest.raises(UserError, match=message):
            leokit.load(*arguments)
    save_checkpoint(dict(meta={}, state_dict={}), tmp_path / 'weights.pth')
    with pytest.raises(UserError, match='weights.pth carries no config'):
        leokit.load(tmp_path / 'weights.pth')
    with pytest.raises(UserError, match='amp is an option of LEO'):
        leokit.load(*trained, amp=True)


def test_another_kind_of_model(models):
    with pytest.raises(UserError, match='builds MotionDiffusion; pass a config of Animator, such as lia_synthetic_64'):
        leokit.load(models['motion_config'], models['motion'], expect=Animator)
    with pytest.raises(UserError, match='builds Animator; pass a config of MotionDiffusion'):
        leokit.load(models['animator_config'], models['animator'], expect=MotionDiffusion)
    with pytest.raises(UserError, match='builds MotionDiffusion; pass a config of StartFrameDiffusion'):
        leokit.load(models['motion_config'], models['motion'], expect=StartFrameDiffusion)
    with pytest.raises(UserError, match='another shape'):
        leokit.load(models['animator_config'], models['animator'], cfg_options={'model.motion_dim': 5}, expect=Animator)
    with pytest.raises(UserError, match='so its checkpoint is needed'):
        leokit.load(models['animator_config'], expect=Animator)


def test_a_work_dir_stands_for_its_newest_checkpoint(tmp_path):
    with pytest.raises(UserError, match='holds no checkpoint'):
        checkpoint_file(tmp_path)
    for number in (9, 10):
        save_checkpoint(dict(meta={}, state_dict={}), tmp_path / f'iter_{number}.pth')
    assert checkpoint_file(tmp_path) == tmp_path / 'iter_10.pth'
    assert checkpoint_file('any.pth') == Path('any.pth')


def test_init_model_is_the_old_name(trained):
    with pytest.warns(FutureWarning, match='renamed to leokit.load'):
        assert_same_weights(init_model(*trained), trained[1])


def test_importing_leokit_is_light():
    code = "import leokit, sys; assert 'torch' not in sys.modules; leokit.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, '-c', code], check=True)
    with pytest.raises(AttributeError, match="'leokit' has no attribute 'lod'"):
        leokit.lod  # noqa: B018


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
    other = change_sampler(config, 4, sampler='HeunSampler').model.sampler
    assert other == dict(type='HeunSampler', num_inference_steps=4)
    assert change_sampler(config, sampler='EulerSampler').model.sampler == dict(type='EulerSampler')
