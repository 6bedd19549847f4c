"""The MLP over single codes."""

import pytest
import torch

from leokit.diffusion_backbones import MLPDenoiser


def test_sequences_are_errors():
    with pytest.raises(ValueError, match='x must have shape'):
        MLPDenoiser(3, 8, depth=1)(torch.zeros(2, 4, 3), torch.tensor([1, 2]))


def test_depth_and_width():
    model = MLPDenoiser(3, 8, depth=3, embedding_dim=4)
    assert len(model.blocks) == 3 and model.modulation.out_features == 2 * 8 * 3
