import pytest
import torch

from leokit.nn import ModulatedConv2d, StyledConv, modulated_conv2d_reference


@pytest.mark.parametrize('upsample', [False, True])
@pytest.mark.parametrize('demodulate', [False, True])
def test_scaling_activations_equals_one_weight_per_sample(upsample, demodulate):
    torch.manual_seed(0)
    layer = ModulatedConv2d(5, 7, kernel_size=3, style_dim=4, demodulate=demodulate, upsample=upsample)
    x, latent = torch.randn(3, 5, 6, 6), torch.randn(3, 4)
    expected = modulated_conv2d_reference(
        x, layer.weight * layer.scale, layer.modulation(latent), demodulate=demodulate, upsample=upsample)
    torch.testing.assert_close(layer(x, latent), expected, rtol=1e-4, atol=1e-5)


def test_samples_are_independent():
    torch.manual_seed(0)
    layer = StyledConv(4, 6, style_dim=8, upsample=True)
    x, latent = torch.randn(3, 4, 8, 8), torch.randn(3, 8)
    torch.testing.assert_close(layer(x, latent)[1:2], layer(x[1:2], latent[1:2]))


def test_demodulation_is_float32_under_autocast():
    layer = ModulatedConv2d(4, 4, kernel_size=1, style_dim=8)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert layer.demodulation(torch.ones(2, 4)).dtype == torch.float32
        assert layer(torch.randn(2, 4, 4, 4), torch.randn(2, 8)).dtype == torch.bfloat16


def test_demodulation_of_a_tiny_weight_by_the_constant_of_stylegan2():
    """1 / sqrt(energy + 1e-8), of one input channel and a kernel of one."""
    layer = ModulatedConv2d(1, 1, kernel_size=1, style_dim=2)
    torch.nn.init.constant_(layer.weight, 1e-4)
    factor = layer.demodulation(torch.tensor([[1.0], [3.0]]))
    torch.testing.assert_close(factor, torch.tensor([[2e-8], [1e-7]]).rsqrt())
    x, weight = torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 1e-4)
    reference = modulated_conv2d_reference(x, weight, torch.ones(1, 1))
    torch.testing.assert_close(reference.flatten(), torch.tensor([1e-4 / 2e-8**0.5]))


def test_an_untrained_latent_of_zeros_modulates_by_one():
    assert ModulatedConv2d(3, 4, kernel_size=3, style_dim=2).modulation(torch.zeros(1, 2)).tolist() == [[1, 1, 1]]


def test_styles_are_float32_under_autocast():
    layer, seen = ModulatedConv2d(4, 4, kernel_size=1, style_dim=8), []
    layer.modulation.register_forward_hook(lambda module, inputs, style: seen.append(style.dtype))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        layer(torch.randn(2, 4, 4, 4), torch.randn(2, 8).bfloat16())
    assert seen == [torch.float32]
