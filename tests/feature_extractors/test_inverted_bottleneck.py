import pytest
import torch
from torch import nn

from leokit.feature_extractors.inverted_bottleneck import FrozenConv, InvertedBottleneck, fold


def normalized(conv):
    """A convolution and a trained batch normalization."""
    norm = nn.BatchNorm2d(conv.out_channels, eps=1e-3)
    with torch.no_grad():
        for tensor, low, high in ((norm.weight, 0.5, 2), (norm.bias, -1, 1), (norm.running_mean, -1, 1),
                                  (norm.running_var, 0.5, 2)):
            tensor.uniform_(low, high)
    return conv, norm.eval()


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize('kernel', [1, 3])
@pytest.mark.parametrize('bias', [False, True])
def test_a_folded_convolution_equals_both_layers(kernel, bias):
    conv, norm = normalized(nn.Conv2d(5, 7, kernel, padding=kernel // 2, bias=bias))
    x = torch.randn(2, 5, 6, 9)
    torch.testing.assert_close(FrozenConv(conv, norm)(x), norm(conv(x)))


def test_nothing_of_it_is_trained():
    conv, norm = normalized(nn.Conv2d(4, 4, 1))
    assert not any(tensor.requires_grad for tensor in fold(conv, norm))
    depthwise = normalized(nn.Conv2d(4, 4, 3, groups=4))
    block = InvertedBottleneck(FrozenConv(conv, norm), depthwise, FrozenConv(conv, norm), has_skip=True)
    assert len(list(block.parameters())) == 6 and not any(weight.requires_grad for weight in block.parameters())


@pytest.mark.parametrize('side, padding', [(8, (0, 1, 0, 1)), (9, (1, 1, 1, 1))])
def test_a_stem_pads_as_tensorflow(side, padding):
    conv, norm = normalized(nn.Conv2d(3, 4, 3, stride=2, bias=False))
    x = torch.randn(1, 3, side, side)
    torch.testing.assert_close(FrozenConv(conv, norm)(x), norm(conv(nn.functional.pad(x, padding))))


@pytest.mark.parametrize('has_skip', [False, True])
@pytest.mark.parametrize('expands', [False, True])
def test_a_bottleneck_equals_its_layers(expands, has_skip):
    expand = normalized(nn.Conv2d(6, 12 if expands else 6, 1, bias=False))
    hidden = 12 if expands else 6
    depthwise = normalized(nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, bias=False))
    project = normalized(nn.Conv2d(hidden, 6, 1, bias=False))
    block = InvertedBottleneck(FrozenConv(*expand) if expands else None, depthwise, FrozenConv(*project),
                               has_skip=has_skip)
    relu6 = nn.ReLU6()
    layers = nn.Sequential(*(expand if expands else ()), relu6, *depthwise, relu6, *project)
    x = 3 * torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(block(x), layers(x) + (x if has_skip else 0))


def test_weights_in_another_precision_follow_them():
    layer = FrozenConv(*normalized(nn.Conv2d(3, 4, 1, bias=False)))
    with torch.inference_mode():
        first = layer(torch.ones(1, 3, 2, 2, dtype=torch.bfloat16))
    x = torch.ones(1, 3, 2, 2, dtype=torch.bfloat16, requires_grad=True)
    layer(x).sum().backward()  # although the weight was converted in inference mode
    assert x.grad.abs().sum() > 0
    layer.load_state_dict({name: 2 * weight for name, weight in layer.state_dict().items()})
    torch.testing.assert_close(layer(x), 2 * first)
    layer.double()
    assert layer(x.double()).dtype == torch.float64
    assert layer.cast('weight', torch.bfloat16).dtype == torch.bfloat16


def test_a_weight_is_converted_once():
    layer = FrozenConv(*normalized(nn.Conv2d(3, 4, 1, bias=False)))
    assert layer.cast('weight', torch.float32) is layer.weight
    assert layer.cast('weight', torch.bfloat16) is layer.cast('weight', torch.bfloat16)
    assert layer.cast('bias', torch.bfloat16).shape == (4,)
