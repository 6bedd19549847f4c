import pytest
import torch
from torch import nn
from torch.nn import functional as F

from leokit.feature_extractors.depthwise import FrozenDepthwiseConv2d, replace_depthwise


def same_padding(x, kernel, stride):
    """TensorFlow's rule, written for the test: outputs are ceil(n / stride)."""
    pads = []
    for n in x.shape[:1:-1]:  # width first, as F.pad wants it
        total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


@pytest.mark.parametrize('side', [1, 2, 7, 8])
@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('kernel', [3, 5])
def test_equals_the_plain_convolution_in_both_directions(side, stride, kernel):
    torch.manual_seed(0)
    weight = torch.randn(6, 1, kernel, kernel)
    layer = FrozenDepthwiseConv2d(weight, stride)
    x, y = (torch.randn(2, 6, side, side, generator=torch.Generator().manual_seed(1)).requires_grad_()
            for _ in range(2))
    out = layer(x.contiguous(memory_format=torch.channels_last))
    wanted = F.conv2d(same_padding(y, kernel, stride), weight, stride=stride, groups=6)
    torch.testing.assert_close(out, wanted)
    out.square().sum().backward()
    wanted.square().sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    assert layer.weight.grad is None


def test_autocast_decides_the_type():
    layer = FrozenDepthwiseConv2d(torch.randn(4, 1, 3, 3), 1)
    with torch.autocast('cpu', torch.bfloat16):
        assert layer(torch.randn(1, 4, 5, 5)).dtype == torch.bfloat16
    assert layer(torch.randn(1, 4, 5, 5)).dtype == torch.float32


def test_only_depthwise_convolutions_are_replaced():
    network = nn.Sequential(nn.Conv2d(4, 8, 1), nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, bias=False)),
                            nn.Conv2d(8, 8, 3, groups=2))
    names = set(network.state_dict())
    replace_depthwise(network)
    assert isinstance(network[1][0], FrozenDepthwiseConv2d)
    assert type(network[0]) is type(network[2]) is nn.Conv2d
    assert set(network.state_dict()) == names
