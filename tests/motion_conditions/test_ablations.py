"""The conditions of the ablation."""

import torch

from leokit.motion_conditions import ConcatMotionCondition, LinearMotionCondition, NoMotionCondition


def test_concatenation_differs_from_the_linear_condition_in_the_sum_only():
    motion = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    concat, linear = ConcatMotionCondition(), LinearMotionCondition()
    residuals, start = concat.split(motion)
    assert torch.equal(residuals, linear.split(motion)[0])
    assert torch.equal(concat.assemble(residuals, start), linear.assemble(residuals, start))
    std, residual_std = torch.rand(2, 2)
    assert torch.equal(concat.unit(std, residual_std), linear.unit(std, residual_std))

    seen, sum_seen = concat.network_input(residuals, start).x, linear.network_input(residuals, start).x
    assert torch.equal(seen[:, 0], sum_seen[:, 0])
    assert torch.equal(seen[:, 1:], residuals)
    assert torch.allclose(seen[:, 1:] + start[:, None], sum_seen[:, 1:])


def test_no_condition_keeps_the_sequence():
    motion = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    condition = NoMotionCondition()
    target, start = condition.split(motion)
    assert start is None and not condition.uses_start
    assert torch.equal(target, motion)
    assert torch.equal(condition.network_input(motion, None).x, motion)
    assert torch.equal(condition.network_output(motion), motion)


def test_no_condition_normalizes_by_the_deviation_of_codes():
    assert NoMotionCondition().unit(torch.tensor([2.0]), torch.tensor([7.0])).tolist() == [2.0]
