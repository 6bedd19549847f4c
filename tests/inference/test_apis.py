import pytest
import torch
from engine.toys import toy_config, train
from mmengine.config import Config

from leokit.apis import check_device, init_model
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A config file and a checkpoint with an average."""
    folder = tmp_path_factory.mktemp('trained')
    config = toy_config(folder / 'run', custom_hooks=[dict(type='EMAHook')])
    train(config)
    (folder / 'toy.py').write_text(f'width = 6\n{config.pretty_text}'.replace(
        "type='ToyModel'", "type='ToyModel', width='$width'"))
    return folder / 'toy.py', folder / 'run' / 'iter_12.pth'


def test_a_model_has_the_averaged_weights_and_is_ready(trained):
    config, checkpoint = trained
    model = init_model(config, checkpoint)
    averaged = load_checkpoint(checkpoint)['state_dict']
    assert all(torch.equal(weight, averaged[key]) for key, weight in model.state_dict().items())
    assert not model.training and model.cfg.width == 6
    x = torch.ones(2, 6)
    assert torch.equal(model(dict(x=x)), init_model(str(config), str(checkpoint), torch.device('cpu'))(dict(x=x)))


def test_options_and_config_objects_work_alike(trained):
    config = Config.fromfile(trained[0])
    assert init_model(config, cfg_options=dict(width=4)).encoder[0].in_features == 4
    assert config.width == 6 and config.model.width == '$width'
    assert init_model(trained[0], cfg_options=dict(width=4)).encoder[0].in_features == 4


def test_a_checkpoint_of_the_generator_alone_is_enough(trained, tmp_path):
    content = load_checkpoint(trained[1])
    content['state_dict'] = {key: weight for key, weight in content['state_dict'].items()
                             if not key.startswith('discriminator')}
    torch.save(content, tmp_path / 'generator.pth')
    init_model(trained[0], tmp_path / 'generator.pth')


def test_what_only_training_needs_is_not_built():
    model = dict(type='Animator', size=32, max_channels=8, training=dict(losses=[dict(type='NotInstalledHere')]))
    animator = init_model(Config(dict(model=model)))
    assert not len(animator.losses) and animator.cfg.model.training.losses[0].type == 'NotInstalledHere'


@pytest.mark.parametrize('options, sentence', [
    (dict(width=4), 'have another shape'), ({'model.type': 'ToyMdel'}, "did you mean 'ToyModel'"),
    (dict(wdth=4), "no top-level key 'wdth'; did you mean 'width'")])
def test_mistakes_are_one_sentence(trained, options, sentence):
    with pytest.raises(UserError, match=sentence):
        init_model(*trained, cfg_options=options)


def test_files_must_exist(trained):
    with pytest.raises(UserError, match='none.pth does not exist'):
        init_model(trained[0], 'none.pth')
    with pytest.raises(UserError, match='none.py does not exist'):
        init_model('none.py')
    with pytest.raises(UserError, match="has no 'model'"):
        init_model(Config(dict(width=3)))


def test_devices(monkeypatch):
    assert check_device('cpu') == torch.device('cpu')
    with pytest.raises(UserError, match="the device 'gpu' is unknown"):
        check_device('gpu')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match="'cuda' was asked for, but torch finds no CUDA here; use 'cpu'"):
        check_device('cuda')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    assert check_device('cuda') == torch.device('cuda') and check_device('cuda:1').index == 1
    with pytest.raises(UserError, match="'cuda:2' was asked for, but there are only 2; use 'cuda:0' to 'cuda:1'"):
        check_device('cuda:2')
