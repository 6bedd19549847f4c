"""``leokit grow``: what it writes is a model that works, and that a training starts from."""

import pytest
import torch
from support.calling import call_command

import leokit
from leokit.engine import TRAINING_ONLY, load_weights
from leokit.registry import MODELS
from leokit.utils.config import load_config
from leokit.utils.config_data import config_to_data
from leokit.utils.shipped import find_config

CONFIG = """
_base_ = {base!r}
size = {size}
channel_multiplier = 0.0625
max_channels = 8
model = dict(appearance_dim=16, motion_dim=4, training=dict(_delete_=True, losses=[
    dict(type='L1Loss', weight=1.0), dict(type='ExpressionCodeLoss', motion_dim=4, weight=0.1)]))
"""


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Configs of 32x32 and 64x64, and a checkpoint of the first."""
    folder = tmp_path_factory.mktemp('grow')
    for size in (32, 64):
        text = CONFIG.format(base=str(find_config('lia_synthetic_64')), size=size)
        (folder / f'lia_{size}.py').write_text(text)
    config = load_config(folder / 'lia_32.py')
    torch.manual_seed(0)
    state = {key: value + 0.1 * torch.randn_like(value) if value.is_floating_point() else value
             for key, value in MODELS.build(config.model).state_dict().items()}
    meta = dict(model='Animator', cfg=config_to_data(config), data=dict(crop='none', train=dict(identities=['A'])))
    torch.save(dict(meta=meta, state_dict=state), folder / 'lia_32.pth')
    return folder


def call(folder, *arguments):
    return call_command('grow', folder / 'lia_32.pth', '--out', folder / 'grown.pth', *arguments)


def test_it_works_and_starts_a_training(folder):
    status, said = call(folder, '--config', folder / 'lia_64.py')
    assert status in (0, None), said
    assert 'grown from size 32 to 64' in said
    trained, grown = leokit.load(folder / 'lia_32.pth'), leokit.load(folder / 'grown.pth')
    assert grown.size == 64 and grown.crop == trained.crop == 'none' and grown.face_crop == 'synthetic_faces'
    assert grown.training_data['train'] == dict(identities=['A'])
    images = torch.full((1, 3, 64, 64), 0.5)
    images[:, :, 16:48, 16:48] = -0.5  # filtered, the border of the image and of the square is all that changes
    with torch.no_grad():
        codes = [model.encode(x).motion for model, x in ((trained, images[:, :, ::2, ::2]), (grown, images))]
    assert torch.allclose(*codes, rtol=0.3, atol=0.1 * float(codes[0].abs().max()))
    # a training of the config: the weights of the losses come along
    model = MODELS.build(load_config(folder / 'lia_64.py').model)
    content = torch.load(folder / 'grown.pth')
    assert not load_weights(model, content['state_dict'], source='grown.pth', optional=TRAINING_ONLY,
                            meta=content['meta'])
    learned = [key for key in model.state_dict() if key.startswith('losses.')]
    before = torch.load(folder / 'lia_32.pth')['state_dict']
    assert learned and all(torch.equal(model.state_dict()[key], before[key]) for key in learned)


def test_it_writes_the_same_every_time(folder):
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        call(folder, '--config', folder / 'lia_64.py')
        states.append(torch.load(folder / 'grown.pth')['state_dict'])
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


@pytest.mark.parametrize('arguments, sentence', [
    (('--config', 'lia_64.py', '--share', '2'), '2 must be from 0 to 1'),
    (('--config', 'lia_32.py'), 'of size 32 grows to 64, not to 32; set size=64'),
    (('--config', 'lia_64.py', '--cfg-options', 'max_channels=16'), 'other widths than the trained one'),
    (('--config', 'lmdm_synthetic'), 'builds MotionDiffusion; pass the config of an animator'),
    (('--config', 'leo_synthetic_128'), "has no 'model'")])
def test_what_does_not_fit_is_one_sentence(folder, arguments, sentence, tmp_path):
    config = folder / arguments[1] if arguments[1].endswith('.py') else arguments[1]
    out = tmp_path / 'out.pth'
    status, said = call_command('grow', folder / 'lia_32.pth', '--config', config, *arguments[2:], '--out', out)
    assert status == 2 and sentence in said and 'Traceback' not in said
    assert not out.exists()
