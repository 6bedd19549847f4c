import pytest
import torch
from torch import nn

from leokit.discriminators import StyleGAN2Discriminator
from leokit.losses import R1Penalty


class Linear(nn.Module):
    """Its gradient is its weight, so the penalty is weight / 2 * |w|^2 whatever the image."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(12.0).view(1, 3, 2, 2))

    def forward(self, images):
        return (images * self.weight).sum(dim=(1, 2, 3)).unsqueeze(1)


def small_discriminator():
    torch.manual_seed(0)
    return StyleGAN2Discriminator(32, max_channels=8)


def test_linear_discriminator_by_hand():
    discriminator, real = Linear(), torch.rand(5, 3, 2, 2)
    penalty = R1Penalty(weight=10)(discriminator, real)
    assert penalty.item() == 5 * sum(k**2 for k in range(12))
    penalty.backward()
    torch.testing.assert_close(discriminator.weight.grad, 10 * discriminator.weight.detach())


def test_lazy():
    penalty, discriminator, real = R1Penalty(weight=1, interval=4), Linear(), torch.rand(2, 3, 2, 2)
    values = [penalty(discriminator, real, iteration).item() for iteration in range(9)]
    once = penalty(discriminator, real).item()
    assert values == [4 * once, 0, 0, 0, 4 * once, 0, 0, 0, 4 * once]
    assert [penalty.due(iteration) for iteration in (0, 1, 4)] == [True, False, True]
    with pytest.raises(ValueError, match='interval'):
        R1Penalty(interval=0)


def test_every_weight_gets_a_gradient():
    discriminator = small_discriminator()
    R1Penalty()(discriminator, torch.rand(3, 3, 32, 32)).backward()
    for name, parameter in discriminator.named_parameters():
        # a bias moves the penalty only by switching units on or off, and the last one not at all
        if name.endswith('weight'):
            assert parameter.grad.abs().sum() > 0, name


def test_agrees_with_finite_differences():
    discriminator = small_discriminator().double()
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    direction = torch.randn(image.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    image.requires_grad_()
    gradient, = torch.autograd.grad(discriminator(image).sum(), image)
    slope = (discriminator(image + 1e-6 * direction) - discriminator(image - 1e-6 * direction)) / 2e-6
    torch.testing.assert_close((gradient * direction).sum(), slope.sum(), rtol=1e-5, atol=1e-8)
    single = small_discriminator()
    torch.testing.assert_close(R1Penalty(weight=2)(single, image.detach()).double(), gradient.square().sum(),
                               rtol=1e-4, atol=0)


def test_is_float32_under_autocast_and_without_gradients_around_it():
    discriminator, real = small_discriminator(), torch.rand(2, 3, 32, 32)
    expected = R1Penalty()(discriminator, real)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = R1Penalty()(discriminator, real.bfloat16().float())
        assert discriminator(real).dtype == torch.bfloat16
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=0.05, atol=0)
    with torch.no_grad():
        torch.testing.assert_close(R1Penalty()(discriminator, real), expected)


@pytest.mark.parametrize('in_place', [True, False])
def test_bypasses_a_compiled_discriminator(in_place):
    discriminator, real = small_discriminator(), torch.rand(2, 3, 32, 32)
    expected = R1Penalty()(discriminator, real)

    def refuse(graph, inputs):
        raise AssertionError('second derivatives of compiled code were asked for')

    compiled = discriminator
    if in_place:
        discriminator.compile(backend=refuse)
    else:
        compiled = torch.compile(discriminator, backend=refuse)
    penalty = R1Penalty()(compiled, real)
    torch.testing.assert_close(penalty, expected)
    penalty.backward()


def test_leaves_no_gradients_behind():
    penalty, real = R1Penalty(), torch.rand(1, 3, 2, 2)
    penalty(Linear(), real)
    assert not penalty.state_dict() and not list(penalty.parameters())
    assert not real.requires_grad and real.grad is None


def test_an_interval_of_one_is_every_iteration():
    penalty, discriminator, real = R1Penalty(weight=1, interval=1), Linear(), torch.rand(2, 3, 2, 2)
    once = penalty(discriminator, real)
    assert [penalty(discriminator, real, iteration) for iteration in range(3)] == [once] * 3
