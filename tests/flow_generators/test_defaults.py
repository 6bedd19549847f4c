"""Default values: those of LIA and LIA-X."""

import torch
from support.signatures import defaults

from leokit.flow_generators import LIAFlowGenerator, LIAXFlowGenerator
from leokit.flow_generators.lia_flow_generator import SynthesisLevel
from leokit.warp_operators import BilinearWarp


def test_arguments():
    widths = dict(appearance_dim=512, max_channels=512)
    assert defaults(LIAFlowGenerator) == dict(widths, channel_multiplier=1, init='identity', inpaint=False)
    assert defaults(LIAXFlowGenerator) == dict(widths, channel_multiplier=2)
    assert defaults(SynthesisLevel) == dict(inpaint=False) and defaults(BilinearWarp) == dict(grid='lia')


def test_parts():
    """LIA-X: four residual blocks per level, their branches times 1e-5, and the grid of its sampler."""
    lia = LIAFlowGenerator(32, 8, max_channels=8)
    liax = LIAXFlowGenerator(32, 8, channel_multiplier=1 / 64, max_channels=8)
    assert lia.levels[0].warp.grid == 'lia' and liax.levels[0].warp.grid == 'corners'
    for level in liax.levels:
        assert len(level.blocks) == len(level.refine) == 4
        assert all(torch.equal(block.gamma, torch.full((1, 8, 1, 1), 1e-5)) for block in level.blocks)
        assert all(block.norm.num_groups == 8 for block in level.blocks)  # 32, or what divides it and the channels
