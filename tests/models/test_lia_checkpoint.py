import argparse
import os

import pytest
import torch
from models.lia_reference import reference_state
from safetensors.torch import save_file

import leokit
from leokit.inference import DirectionNames, region_map
from leokit.models import Animator, convert_checkpoint, to_lia
from leokit.models.lia_checkpoint import UNUSED_KEY
from leokit.models.liax_state_dict import to_liax
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint, save_checkpoint


@pytest.fixture(scope='module')
def state():
    return reference_state(Animator(32, 16, motion_dim=4, max_channels=8))


@pytest.fixture
def reference(state, tmp_path):
    torch.save(dict(gen=state, d_optim=dict(lr=1.0)), tmp_path / 'vox.pt')
    return tmp_path / 'vox.pt'


def same(left, right):
    return list(left) == list(right) and all(
        left[key].dtype == right[key].dtype and torch.equal(left[key], right[key]) for key in left)


def test_there_and_back_is_bit_exact(reference, state, tmp_path):
    summary = convert_checkpoint(reference, tmp_path / 'animator.pth')
    assert 'animator.pth' in summary and 'size 32, motion_dim 4' in summary
    checkpoint = load_checkpoint(tmp_path / 'animator.pth')
    assert checkpoint['meta']['conventions'] == dict(grid='lia') and checkpoint[UNUSED_KEY]
    assert "LIA's format" in convert_checkpoint(tmp_path / 'animator.pth', tmp_path / 'back.pt')
    back = torch.load(tmp_path / 'back.pt', weights_only=True)
    assert list(back) == ['gen'] and same(back['gen'], state)
    convert_checkpoint(tmp_path / 'back.pt', tmp_path / 'again.pth')
    assert same(load_checkpoint(tmp_path / 'again.pth')['state_dict'], checkpoint['state_dict'])


def test_an_animator_trained_here_is_exported(state, tmp_path):
    animator = Animator(32, 16, motion_dim=4, max_channels=8)
    save_checkpoint(dict(meta=dict(model='Animator'), state_dict=animator.state_dict()), tmp_path / 'own.pth')
    convert_checkpoint(tmp_path / 'own.pth', tmp_path / 'own.pt')
    exported = torch.load(tmp_path / 'own.pt', weights_only=True)['gen']
    assert {key: tensor.shape for key, tensor in exported.items()} == {
        key: tensor.shape for key, tensor in state.items()}


def test_another_grid_cannot_be_exported(tmp_path):
    animator = Animator(32, 16, motion_dim=4, max_channels=8)
    meta = dict(conventions=dict(grid='exact'))
    save_checkpoint(dict(meta=meta, state_dict=animator.state_dict()), tmp_path / 'own.pth')
    with pytest.raises(UserError, match="trained with grid='exact', which the reference"):
        convert_checkpoint(tmp_path / 'own.pth', tmp_path / 'own.pt')
    assert not (tmp_path / 'own.pt').exists()


DICTIONARY = {'dec.direction.weight': torch.zeros(4, 2)}


@pytest.mark.parametrize('content, sentence', [
    (dict(generator={}), 'holds neither a generator'), ([1, 2], 'holds neither a generator'),
    (dict(gen={}), 'holds neither a generator'), (dict(gen=DICTIONARY), "not a complete LIA generator under 'gen.'"),
    (dict(gen={**DICTIONARY, 'mlp.0.weight': torch.zeros(1)}), "'mlp.0.weight' does not .* EDTalk or DPE"),
    (dict(state_dict={'backbone.weight': torch.zeros(1)}), 'a.pt cannot be converted: .* no LIA flow generator'),
    (dict(gen={}, code=print), 'save the weights alone first')])
def test_other_files_are_an_error(tmp_path, content, sentence):
    torch.save(content, tmp_path / 'a.pt')
    with pytest.raises(UserError, match=sentence):
        convert_checkpoint(tmp_path / 'a.pt', tmp_path / 'b.pth')
    assert not (tmp_path / 'b.pth').exists()


def float_like(state):
    """A file of FLOAT: parameters only, with a prefix, next to other networks."""
    others = {'fmt.blocks.0.weight': torch.ones(2), 'audio_encoder.bias': torch.ones(2)}
    return {**others, **{f'motion_autoencoder.{key}': value for key, value in state.items() if '.kernel' not in key}}


@pytest.mark.parametrize('wrap, found', [
    (lambda state: state, "LIA's generator, a bare state dict"),
    (lambda state: {f'module.{key}': value for key, value in state.items()}, "LIA's generator under 'module.'"),
    (float_like, "FLOAT's motion autoencoder, which is LIA's network, under 'motion_autoencoder.'; left out: "
                 'audio_encoder.*, fmt.*'),
    (lambda state: dict(gen=state, dis={'a': torch.ones(1)}, args=argparse.Namespace(size=32, lr=0.002, names=['a'])),
     "under 'gen.'; left out: dis, args"),
    (lambda state: dict(gen={key: value + 1 for key, value in state.items()}, g_ema=state, g_optim=dict(state={})),
     "under 'g_ema.'; left out: gen, g_optim"),
    (lambda state: dict(state_dict={f'module.generator.{key}': value for key, value in state.items()}, epoch=3),
     "under 'state_dict.module.generator.'; left out: epoch")])
def test_the_generator_is_found_in_files_of_all_kinds(state, tmp_path, wrap, found):
    torch.save(wrap(state), tmp_path / 'weights.pt')
    assert found in convert_checkpoint(tmp_path / 'weights.pt', tmp_path / 'animator.pth')
    torch.save(dict(gen=state), tmp_path / 'vox.pt')
    convert_checkpoint(tmp_path / 'vox.pt', tmp_path / 'expected.pth')
    assert same(load_checkpoint(tmp_path / 'animator.pth')['state_dict'],
                load_checkpoint(tmp_path / 'expected.pth')['state_dict'])
    animator = leokit.load(tmp_path / 'animator.pth')
    is_float = 'FLOAT' in found
    assert animator.face_crop == ('float' if is_float else None)
    assert animator.transfer_mode == ('absolute' if is_float else 'relative')


def test_a_config_says_how_the_weights_are_used(tmp_path):
    torch.save(dict(gen=to_lia(Animator(256, 16, motion_dim=4, max_channels=8, channel_multiplier=0.1).state_dict())),
               tmp_path / 'vox.pt')
    convert_checkpoint(tmp_path / 'vox.pt', tmp_path / 'vox.pth', config='lia_vox_256')
    animator = leokit.load(tmp_path / 'vox.pth')
    assert (animator.size, animator.crop, animator.face_crop) == (256, 'center', 'voxceleb')
    with pytest.raises(UserError, match='of size 256, and the config lia_taichi_128 has size=128'):
        convert_checkpoint(tmp_path / 'vox.pt', tmp_path / 'a.pth', config='lia_taichi_128')


def test_safetensors_are_read(state, tmp_path):
    save_file(state, tmp_path / 'vox.safetensors')
    convert_checkpoint(tmp_path / 'vox.safetensors', tmp_path / 'a.pth')
    convert_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pt')
    back = torch.load(tmp_path / 'b.pt', weights_only=True)['gen']
    assert {key for key in state if '.kernel' not in key} <= set(back)
    assert all(torch.equal(back[key], value) for key, value in state.items())
    (tmp_path / 'broken.safetensors').write_bytes(b'1')
    with pytest.raises(UserError, match='broken.safetensors cannot be read'):
        convert_checkpoint(tmp_path / 'broken.safetensors', tmp_path / 'c.pth')


class Malicious:
    """What an unpickler would call."""

    def __reduce__(self):
        return os.system, ('touch executed',)


def test_arguments_of_a_trainer_hold_plain_values_only(state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(gen=state, args=argparse.Namespace(command=Malicious())), 'vox.pt')
    with pytest.raises(UserError, match='save the weights alone first'):
        convert_checkpoint('vox.pt', 'a.pth')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['vox.pt']
    # only the converter accepts the class
    torch.save(dict(state_dict=state, args=argparse.Namespace(lr=1.0)), 'own.pth')
    with pytest.raises(UserError, match='holds more than tensors'):
        load_checkpoint('own.pth')


def make_liax():
    return Animator(512, 8, motion_dim=4, channel_multiplier=0.125, max_channels=8, encoder=dict(type='LIAXEncoder'),
                    flow_generator=dict(type='LIAXFlowGenerator'))


def test_liax_there_and_back(tmp_path):
    animator = make_liax()
    reference = to_liax(animator.state_dict())
    torch.save(reference, tmp_path / 'lia-x.pt')
    assert "found LIA-X's generator, a bare state dict" in convert_checkpoint(
        tmp_path / 'lia-x.pt', tmp_path / 'animator.pth')
    loaded = leokit.load(tmp_path / 'animator.pth')
    assert loaded.weights_hash() == animator.weights_hash()
    assert load_checkpoint(tmp_path / 'animator.pth')['meta']['conventions'] == dict(grid='corners')
    assert not list(tmp_path.glob('*.json'))  # 4 dimensions are not those of the public weights
    assert "LIA-X's format" in convert_checkpoint(tmp_path / 'animator.pth', tmp_path / 'back.pt')
    assert same(torch.load(tmp_path / 'back.pt', weights_only=True), reference)
    del reference['dec.flow7.bias']
    torch.save(reference, tmp_path / 'lia-x.pt')
    with pytest.raises(UserError, match="not a complete LIA-X generator: 1 tensors are missing .* 'dec.flow7.bias'"):
        convert_checkpoint(tmp_path / 'lia-x.pt', tmp_path / 'animator.pth')


def test_directions_of_the_public_weights_of_liax_have_names(tmp_path):
    # its editing page: the sliders of the tabs Head, Mouth and Eyes, and the entries of the code of 40 that they move
    tabs = dict(pose={37, 39, 28, 15, 33, 31}, mouth={6, 25, 16, 19}, eyes={13, 24, 17, 26})
    animator = Animator(512, 1024, motion_dim=40, channel_multiplier=0.125, max_channels=8,
                        encoder=dict(type='LIAXEncoder'), flow_generator=dict(type='LIAXFlowGenerator'))
    torch.save(to_liax(animator.state_dict()), tmp_path / 'lia-x.pt')
    said = convert_checkpoint(tmp_path / 'lia-x.pt', tmp_path / 'lia_x.pth')
    assert 'lia_x.directions.json names the directions' in said
    names = DirectionNames.of_checkpoint(tmp_path / 'lia_x.pth', 40)
    for region, entries in tabs.items():
        expected = torch.tensor([float(number in entries) for number in range(40)]).diag()
        assert torch.allclose(region_map(names, {region: 1}), expected, atol=1e-6)
    assert torch.equal(names.vector('pitch'), torch.eye(40)[28])
    (tmp_path / 'lia_x.directions.json').write_text('{"mine": 1}')  # a user's own names stay
    assert 'directions.json' not in convert_checkpoint(tmp_path / 'lia-x.pt', tmp_path / 'lia_x.pth')
    assert DirectionNames.of_checkpoint(tmp_path / 'lia_x.pth', 40).names == ('mine',)


def test_missing_and_equal_files_are_an_error(reference, tmp_path):
    with pytest.raises(UserError, match='none.pt does not exist'):
        convert_checkpoint(tmp_path / 'none.pt', tmp_path / 'b.pth')
    with pytest.raises(UserError, match='would be overwritten'):
        convert_checkpoint(reference, tmp_path / '.' / 'vox.pt')


@pytest.mark.parametrize('sizes', [dict(size=32, max_channels=8), dict(size=64, channel_multiplier=0.25),
                                   dict(size=128, channel_multiplier=2, max_channels=24)])
def test_a_converted_checkpoint_is_enough_to_load_the_animator(tmp_path, sizes):
    animator = Animator(appearance_dim=16, motion_dim=4, **sizes)
    torch.save(dict(gen=to_lia(animator.state_dict())), tmp_path / 'own.pt')
    convert_checkpoint(tmp_path / 'own.pt', tmp_path / 'own.pth')
    loaded = leokit.load(tmp_path / 'own.pth')
    assert loaded.size == sizes['size'] and loaded.weights_hash() == animator.weights_hash()
