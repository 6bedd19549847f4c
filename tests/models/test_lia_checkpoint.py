import pytest
import torch
from models.lia_reference import reference_state

import leokit
from leokit.models import Animator, convert_checkpoint, to_lia
from leokit.models.lia_checkpoint import UNUSED_KEY
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


@pytest.mark.parametrize('content, sentence', [
    (dict(generator={}), "holds neither 'gen'"), ([1, 2], "holds neither 'gen'"),
    (dict(gen={}), 'not a complete LIA generator'),
    (dict(gen={'layer4.weight': torch.zeros(1)}), "'layer4.weight' does not"),
    (dict(state_dict={'backbone.weight': torch.zeros(1)}), 'no LIA flow generator'),
    (dict(gen={}, code=print), 'save the weights alone first')])
def test_other_files_are_an_error(tmp_path, content, sentence):
    torch.save(content, tmp_path / 'a.pt')
    with pytest.raises(UserError, match=sentence):
        convert_checkpoint(tmp_path / 'a.pt', tmp_path / 'b.pth')
    assert not (tmp_path / 'b.pth').exists()


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
