import pytest
import torch
from torch.nn import functional as F

from leokit.discriminators import StyleGAN2Discriminator
from leokit.losses.r1 import R1Penalty
from leokit.nn.double_backward import FastDoubleBackward

CASES = [dict(), dict(padding=1), dict(stride=2), dict(stride=2, padding=1), dict(stride=(2, 1), padding=(0, 1))]


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64, requires_grad=True)


def both(function):
    plain = function()
    with FastDoubleBackward():
        return plain, function()


@pytest.mark.parametrize('options', CASES)
@pytest.mark.parametrize('size', [7, 8])
def test_first_and_second_derivatives_by_finite_differences(options, size):
    inputs = random(2, 3, size, size), random(4, 3, 3, 3, seed=1)
    with FastDoubleBackward():
        convolve = lambda x, weight: F.conv2d(x, weight, **options)  # noqa: E731
        assert torch.autograd.gradcheck(convolve, inputs)
        assert torch.autograd.gradgradcheck(convolve, inputs)


@pytest.mark.parametrize('options', [*CASES, dict(groups=3), dict(dilation=2), dict(padding='same')])
def test_values_and_bias_are_those_of_the_function(options):
    x, bias = random(2, 3, 8, 8), random(6, seed=2)
    weight = random(6, 1 if 'groups' in options else 3, 3, 3, seed=1)
    plain, fast = both(lambda: F.conv2d(x, weight, bias, **options))
    torch.testing.assert_close(fast, plain)
    for one, other in zip(*(torch.autograd.grad(y.square().sum(), (x, weight, bias)) for y in (fast, plain))):
        torch.testing.assert_close(one, other)


def test_no_convolution_has_a_kernel_as_large_as_an_image():
    """What makes PyTorch's own second derivative slow."""
    sizes = {}
    for name, context in (('plain', torch.no_grad().__class__), ('fast', FastDoubleBackward)):
        x, weight = random(2, 3, 32, 32), random(4, 3, 3, 3, seed=1)
        with torch.enable_grad() if name == 'plain' else context():
            gradient, = torch.autograd.grad(F.conv2d(x, weight, stride=2).sin().sum(), x, create_graph=True)
        with torch.profiler.profile(record_shapes=True) as profile:
            torch.autograd.grad(gradient.square().sum(), weight)
        sizes[name] = max(event.input_shapes[1][-1] for event in profile.events() if event.name == 'aten::convolution')
    assert sizes['plain'] > 10 and sizes['fast'] == 3


def test_the_penalty_and_its_gradients_are_the_same(monkeypatch):
    torch.manual_seed(0)
    network, images = StyleGAN2Discriminator(32, max_channels=8), random(4, 3, 32, 32).detach().float()

    def penalty():
        network.zero_grad()
        loss = R1Penalty(2.0)(network, images)
        loss.backward()
        return loss.detach(), [weight.grad.clone() for weight in network.parameters() if weight.grad is not None]
    fast = penalty()
    monkeypatch.setattr('leokit.losses.r1.FastDoubleBackward', lambda: torch.enable_grad())
    plain = penalty()
    torch.testing.assert_close(fast, plain, rtol=1e-3, atol=1e-5)
    assert fast[0] > 0 and len(fast[1]) > 10
