import pytest
import torch
from models.lia_reference import reference_state

from leokit.models import Animator, from_lia, to_lia
from leokit.utils import UserError


@pytest.fixture(scope='module')
def animator():
    return Animator(32, 16, motion_dim=4, max_channels=8, data_preprocessor=dict(type='mmengine.BaseDataPreprocessor'))


def test_there_and_back_is_exact_and_in_order(animator):
    state = reference_state(animator)
    converted, unused = from_lia(state)
    assert set(converted) == set(animator.state_dict())
    back = to_lia(converted, unused)
    assert list(back) == list(state)
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_shapes_are_the_animators(animator):
    converted, _ = from_lia(reference_state(animator))
    animator.load_state_dict(converted)


def test_a_trained_animator_exports_without_the_unused_tensors(animator):
    exported = to_lia(animator.state_dict())
    assert exported['dec.conv1.noise.weight'].shape == (1,) and not exported['dec.conv1.noise.weight'].any()
    assert exported['dec.to_rgb1.conv.0.weight'].shape == (3, 8, 1, 1)


def test_errors_name_unknown_weights():
    with pytest.raises(UserError, match='layer4.0.conv1.weight'):
        from_lia({'layer4.0.conv1.weight': torch.zeros(1)})
    with pytest.raises(UserError, match='no LIA flow generator'):
        to_lia({'backbone.weight': torch.zeros(1)})


def test_an_animator_with_inpainting_cannot_be_exported():
    painting = Animator(32, 16, motion_dim=4, max_channels=8,
                        flow_generator=dict(type='LIAFlowGenerator', inpaint=True))
    with pytest.raises(UserError, match='inpaint=True, which the reference implementation does not have'):
        to_lia(painting.state_dict())
