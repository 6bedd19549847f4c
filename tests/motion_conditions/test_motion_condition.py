"""Properties of every motion condition."""

import pytest
import torch

from leokit.registry import MOTION_CONDITIONS
from leokit.utils import UserError

TYPES = ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition']


@pytest.fixture(params=TYPES)
def condition(request):
    """Each condition."""
    return MOTION_CONDITIONS.build(dict(type=request.param))


def sequences(shape=(5, 5, 5)):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_assemble_inverts_split(condition):
    motion = sequences()
    assert torch.allclose(condition.assemble(*condition.split(motion)), motion, atol=1e-12)


def test_frame_counts(condition):
    for frames in (2, 3, 7):
        target, start = condition.split(sequences((4, frames, 3)))
        assert target.shape == (4, condition.noised_frames(frames), 3)
        assert (start is not None) == condition.uses_start
        x = condition.network_input(target, start).x
        assert x.shape == (4, frames, 3)
        assert condition.network_output(x).shape == target.shape


def test_noised_variable_has_unit_variance(condition):
    generator = torch.Generator().manual_seed(0)
    scales = torch.tensor([0.01, 1.0, 30.0])
    steps = torch.randn(500, 8, 3, generator=generator) * scales * torch.tensor([0.2, 0.4, 2.0])
    motion = torch.randn(500, 1, 3, generator=generator) * scales + steps.cumsum(1)
    residual_std = (motion[:, 1:] - motion[:, :1]).square().mean((0, 1)).sqrt()
    unit = condition.unit(motion.std((0, 1)), residual_std)
    target, _ = condition.split((motion - motion.mean((0, 1))) / unit)
    assert torch.allclose(target.square().mean((0, 1)), torch.ones(3), atol=0.05)


def test_first_code_is_never_noised(condition):
    """For any noisy variable, the clean first code reaches the network and the result."""
    motion = sequences()
    target, start = condition.split(motion)
    if start is None:
        pytest.skip('no first code')
    noisy = torch.full_like(target, 7.0)
    assert torch.equal(condition.network_input(noisy, start).x[:, 0], motion[:, 0])
    assert torch.equal(condition.assemble(noisy, start)[:, 0], motion[:, 0])
    output = motion.clone()
    output[:, 0] = 1e9
    assert condition.network_output(output).max() < 1e3


def test_one_frame_is_too_short_for_a_condition():
    for name in TYPES[:2]:
        with pytest.raises(UserError, match='at least 2 frames'):
            MOTION_CONDITIONS.build(dict(type=name)).split(sequences((2, 1, 3)))


def test_first_codes_of_a_still_dimension_are_bounded():
    for name in TYPES[:2]:
        unit = MOTION_CONDITIONS.build(dict(type=name)).unit(torch.tensor([2.0, 2.0]), torch.tensor([0.0, 1.0]))
        assert torch.allclose(unit, torch.tensor([0.2, 1.0]))
