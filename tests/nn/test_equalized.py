import math

import torch

from leokit.nn import BiasActivation, EqualConv2d, EqualLinear, scaled_leaky_relu


def test_activation_values():
    x = torch.tensor([-1.0, 0.0, 2.0])
    torch.testing.assert_close(scaled_leaky_relu(x), torch.tensor([-0.2, 0.0, 2.0]) * math.sqrt(2))


def test_unit_weights_give_unit_variance_whatever_the_fan_in():
    torch.manual_seed(0)
    for width in (16, 1024):
        out = EqualLinear(width, 512)(torch.randn(256, width))
        assert 0.9 < out.std() < 1.1
        out = EqualConv2d(width // 16, 256, kernel_size=3)(torch.randn(8, width // 16, 8, 8))
        assert 0.85 < out.std() < 1.15


def test_bias_is_added_per_channel_before_the_activation():
    layer = BiasActivation(2)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, -1.0]))
    out = layer(torch.zeros(1, 2, 1, 1)).flatten()
    torch.testing.assert_close(out, torch.tensor([math.sqrt(2), -0.2 * math.sqrt(2)]))


def test_linear_bias_init():
    torch.testing.assert_close(EqualLinear(4, 3, bias_init=1.0)(torch.zeros(1, 4)), torch.ones(1, 3))
