"""The condition that puts the first code in front without adding it."""

import torch

from leokit.motion_conditions import ConcatMotionCondition, LinearMotionCondition


def test_it_differs_from_the_linear_condition_in_the_sum_alone():
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
