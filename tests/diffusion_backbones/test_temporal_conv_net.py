"""The convolution net over motion codes."""

import pytest
import torch

from leokit.diffusion_backbones import TemporalConvNet
from leokit.utils import UserError


def test_default_size():
    assert 12e6 < sum(parameter.numel() for parameter in TemporalConvNet(20).parameters()) < 16e6


@pytest.mark.parametrize(('depth', 'cycle', 'kernel_size', 'frames'), [
    (1, 1, 3, 9),  # 1 + 2 * (stem 1 + dilation 1 + 1 + out 1)
    (2, 2, 3, 15),  # dilations 1, 2: 1 + 2 * (1 + 2 + 3 + 1)
    (3, 2, 3, 19),  # dilations 1, 2, 1
    (1, 1, 5, 17),
])
def test_receptive_field(depth, cycle, kernel_size, frames):
    """By gradients, with the statistics over time held constant."""
    torch.manual_seed(0)
    net = TemporalConvNet(2, 8, depth=depth, cycle=cycle, kernel_size=kernel_size, embedding_dim=8).double()
    for name, parameter in net.named_parameters():
        torch.nn.init.normal_(parameter)
    for module in net.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x
    x = torch.randn(1, 61, 2, dtype=torch.float64, requires_grad=True)
    net(x, torch.tensor([3]))[0, 30].sum().backward()
    used = x.grad[0].abs().sum(-1).nonzero()[:, 0]
    assert net.receptive_field == frames == int(used[-1] - used[0]) + 1
    assert len(used) == frames


@pytest.mark.parametrize(('options', 'named'), [
    (dict(kernel_size=4), 'kernel_size'), (dict(channels=12), 'channels'), (dict(depth=0), 'depth')])
def test_invalid_options_are_errors(options, named):
    with pytest.raises(UserError, match=named):
        TemporalConvNet(3, **{'channels': 16, **options})
