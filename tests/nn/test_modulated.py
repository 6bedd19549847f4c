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
