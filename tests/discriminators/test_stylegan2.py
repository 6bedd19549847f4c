import math

import pytest
import torch
from support.signatures import defaults
from torch.nn import functional as F

from leokit.discriminators import StyleGAN2Discriminator
from leokit.discriminators.stylegan2 import append_minibatch_stddev, stddev_group
from leokit.registry import DISCRIMINATORS


def build(size=32, **options):
    torch.manual_seed(0)
    return DISCRIMINATORS.build(dict(type='StyleGAN2Discriminator', size=size, **{'max_channels': 8, **options}))


@pytest.mark.parametrize('size', [32, 64, 128])
@pytest.mark.parametrize('batch', [1, 3, 4])
def test_one_logit_per_image(size, batch):
    logits = build(size)(torch.rand(batch, 3, size, size) * 2 - 1)
    assert logits.shape == (batch, 1) and logits.isfinite().all()


def test_every_parameter_gets_a_gradient():
    discriminator = build()
    discriminator(torch.rand(4, 3, 32, 32)).square().sum().backward()
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def test_widths():
    wide = build(128, max_channels=512, channel_multiplier=2)
    assert wide.from_rgb.weight.shape == (256, 3, 1, 1)
    assert wide.final_conv.weight.shape == (512, 513, 3, 3)
    assert wide.final_linear.weight.shape == (512, 512 * 16)
    # the published network of 256x256 and multiplier 2 has 28.9 million parameters
    assert sum(p.numel() for p in build(256, max_channels=512, channel_multiplier=2).parameters()) == 28_864_129


def test_learning_rates_are_equalized():
    discriminator = build(max_channels=64)
    for name, parameter in discriminator.named_parameters():
        if name.endswith('weight'):
            assert abs(parameter.std().item() - 1) < 0.15, name
        else:
            assert not parameter.any(), name
    logits = discriminator(torch.randn(64, 3, 32, 32))
    assert 0.1 < logits.square().mean().sqrt() < 10  # the scale survives all layers


@pytest.mark.parametrize('batch, group', [
    (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 3), (7, 7), (8, 4), (9, 3), (10, 5), (12, 4), (14, 2),
    (15, 3), (32, 4)])
def test_groups_of_any_batch(batch, group):
    assert stddev_group(batch, 4) == group


def test_minibatch_stddev_by_hand():
    x = torch.tensor([0.0, 1.0, 2.0, 5.0]).view(4, 1, 1, 1).expand(4, 2, 3, 3)
    out = append_minibatch_stddev(x, 2)  # groups are samples 0 and 2, 1 and 3
    assert torch.equal(out[:, :2], x)
    torch.testing.assert_close(out[:, 2], torch.tensor([1.0, 2.0, 1.0, 2.0]).view(4, 1, 1).expand(4, 3, 3))
    whole = append_minibatch_stddev(x, 4)[:, 2]
    torch.testing.assert_close(whole, torch.full((4, 3, 3), math.sqrt(14 / 4)))


def test_equal_images_have_no_deviation_and_a_finite_gradient():
    x = torch.ones(4, 2, 3, 3, requires_grad=True)
    out = append_minibatch_stddev(x, 4)
    assert out[:, 2].max() < 1e-3
    out.sum().backward()
    assert x.grad.isfinite().all()


def test_half_precision():
    discriminator, images = build(), torch.rand(4, 3, 32, 32)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = discriminator(images)
    torch.testing.assert_close(logits.float(), discriminator(images), atol=0.1, rtol=0.1)


def test_compiles_in_one_graph():
    discriminator, images = build(), torch.rand(6, 3, 32, 32)
    torch._dynamo.reset()
    compiled = torch.compile(discriminator, fullgraph=True, backend='eager')
    torch.testing.assert_close(compiled(images), discriminator(images), atol=1e-5, rtol=1e-5)


def test_other_sizes_are_errors():
    with pytest.raises(ValueError, match='images must have shape'):
        build()(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match='power of two'):
        build(48)
    with pytest.raises(ValueError, match='group_size'):
        build(group_size=0)


def test_the_last_layers_by_their_definition():
    discriminator, images = build(), torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        for layer in (discriminator.final_activation, discriminator.final_linear, discriminator.to_logit):
            layer.bias.normal_()
    first = discriminator.from_rgb_activation(F.conv2d(images, discriminator.from_rgb.weight / math.sqrt(3)))
    x = append_minibatch_stddev(discriminator.blocks(first), 4)

    def activated(x, bias):
        return F.leaky_relu(x + bias, 0.2) * math.sqrt(2)

    x = F.conv2d(x, discriminator.final_conv.weight / math.sqrt(9 * 9), padding=1)
    x = activated(x, discriminator.final_activation.bias.view(-1, 1, 1)).flatten(1)
    x = activated(x @ discriminator.final_linear.weight.t() / math.sqrt(8 * 16), discriminator.final_linear.bias)
    logits = x @ discriminator.to_logit.weight.t() / math.sqrt(8) + discriminator.to_logit.bias
    torch.testing.assert_close(discriminator(images), logits)


def test_defaults():
    assert defaults(StyleGAN2Discriminator) == dict(channel_multiplier=1, max_channels=512, group_size=4)
    assert build(group_size=1).group_size == 1


def test_the_deviation_of_tiny_differences_is_that_of_the_constant():
    """sqrt(variance + 1e-8)."""
    x = torch.tensor([0.0, 2e-4]).view(2, 1, 1, 1)
    torch.testing.assert_close(append_minibatch_stddev(x, 2)[:, 1], torch.full((2, 1, 1), math.sqrt(2e-8)))
