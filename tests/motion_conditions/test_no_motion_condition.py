"""No condition: everything is noised."""

import torch

from leokit.motion_conditions import NoMotionCondition


def test_the_sequence_goes_through_unchanged():
    motion = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    condition = NoMotionCondition()
    target, start = condition.split(motion)
    assert start is None and not condition.uses_start
    assert torch.equal(target, motion)
    assert torch.equal(condition.network_input(motion, None).x, motion)
    assert torch.equal(condition.network_output(motion), motion)


def test_codes_are_measured_in_their_own_deviation():
    assert NoMotionCondition().unit(torch.tensor([2.0]), torch.tensor([7.0])).tolist() == [2.0]
