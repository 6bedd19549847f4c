"""The temporal U-Net."""

import pytest
import torch

from leokit.diffusion_backbones import UNet1D
from leokit.utils import UserError


def count(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_default_size():
    assert 14e6 < count(UNet1D(20)) < 16e6


@pytest.mark.parametrize('channels', [(16,), (16, 24), (8, 16, 24, 32)])
@pytest.mark.parametrize('num_blocks', [1, 2])
def test_any_depth(channels, num_blocks):
    model = UNet1D(3, channels, num_blocks=num_blocks, attention_levels=(), embedding_dim=8, head_dim=8)
    x = torch.randn(2, 11, 3)
    assert model(x, torch.tensor([1, 2])).shape == x.shape
    assert count(model.modulation) == 9 * sum(model.modulation_widths)


@pytest.mark.parametrize('options, key', [
    (dict(attention_levels=(3,)), 'attention_levels'), (dict(channels=()), 'attention_levels'),
    (dict(channels=(8, 12)), 'head_dim'), (dict(channels=(12, 16), attention_levels=(0,)), 'head_dim'),
])
def test_bad_levels_are_refused(options, key):
    with pytest.raises(UserError, match=key):
        UNet1D(3, **{'channels': (8, 16), 'attention_levels': (), 'head_dim': 8, **options})


def test_lists_from_a_config_are_welcome():
    UNet1D(3, [8, 16], attention_levels=[1], head_dim=8, embedding_dim=8)
