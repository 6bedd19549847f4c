"""Default values: those of LIA and LIA-X."""

import math

import pytest
import torch
from support.signatures import defaults

from leokit.flow_generators import LIAFlowGenerator, LIAXFlowGenerator
from leokit.flow_generators.lia_flow_generator import SynthesisLevel
from leokit.warp_operators import BilinearWarp


def test_arguments():
    widths = dict(appearance_dim=512, max_channels=512)
    assert defaults(LIAFlowGenerator) == dict(widths, channel_multiplier=1, init='identity', inpaint=False)
    assert defaults(LIAXFlowGenerator) == dict(widths, channel_multiplier=2)
    assert defaults(SynthesisLevel) == dict(inpaint=False, is_last=False)
    assert defaults(BilinearWarp) == dict(grid='lia', kernel='auto')


def test_parts():
    """LIA-X: four residual blocks per level, their branches times 1e-5, and the grid of its sampler."""
    lia = LIAFlowGenerator(32, 8, max_channels=8)
    liax = LIAXFlowGenerator(32, 8, channel_multiplier=1 / 64, max_channels=8)
    assert lia.levels[0].warp.grid == 'lia' and liax.levels[0].warp.grid == 'corners'
    for level in liax.levels:
        assert len(level.blocks) == len(level.refine) == 4
        assert all(torch.equal(block.gamma, torch.full((1, 8, 1, 1), 1e-5)) for block in level.blocks)
        assert all(block.norm.num_groups == 8 for block in level.blocks)  # 32, or what divides it and the channels


@pytest.mark.parametrize('build, widths', [
    (LIAFlowGenerator, (512, 512, 512, 256, 128)), (LIAXFlowGenerator, (64, 64, 64, 32, 16))])
def test_levels_go_from_coarse_to_fine(build, widths):
    options = dict(channel_multiplier=1 / 8) if build is LIAXFlowGenerator else {}
    with torch.device('meta'):
        generator = build(128, 8, **options)
    assert generator.constant.shape == (1, widths[0], 4, 4)
    coarse = widths[0]
    for fine, level in zip(widths, generator.levels, strict=True):
        assert level.up.conv.weight.shape == (fine, coarse, 3, 3)
        if build is LIAXFlowGenerator and level.refine_up is not None:
            assert level.refine_up.conv.weight.shape == (fine, coarse, 3, 3)
        coarse = fine


def test_the_first_mask_is_that_of_the_identity():
    generator = LIAFlowGenerator(32, 8, max_channels=8)
    features = [torch.zeros(1, 8, side, side) for side in (8, 16, 32)]
    masks = generator(torch.randn(1, 8), features).masks
    torch.testing.assert_close(masks[0], torch.full((1, 1, 8, 8), 1 / (1 + math.exp(-3))))
