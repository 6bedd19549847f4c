import gc
import weakref

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from leokit.utils.early_gradients import ScaledGradient, value_and_gradients, with_early_gradients


def distance(a, b):
    return (a - b).square().mean() + a.sin().sum()


def inputs(**options):
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(3, 4, generator=generator, **options) for _ in range(2))
    return a.requires_grad_(), b


def test_the_precomputed_gradient_equals_that_of_autograd():
    a, b = inputs()
    value = ScaledGradient.apply(lambda *x: value_and_gradients(
        distance, tuple(y.detach().requires_grad_(y.requires_grad) for y in x)), a, b)
    (3 * value).backward()
    plain, _ = inputs()
    (3 * distance(plain, b)).backward()
    torch.testing.assert_close(a.grad, plain.grad)
    assert b.grad is None


def test_gradients_of_inputs_and_weights():
    """Of an input with a graph of its own, a weight, and a weight that the value does not depend on."""
    (a, b), network, unused = inputs(), nn.Linear(4, 2), nn.Parameter(torch.zeros(1))
    results = []
    for call in (with_early_gradients, lambda function, *x, weights: function(*x)):
        a.grad = None
        network.zero_grad()
        value = call(lambda seen: network(seen).exp().sum(), a * b, weights=(*network.parameters(), unused))
        (value.square() * 0.1).backward()
        assert unused.grad is None
        results.append([value.detach(), a.grad, *(weight.grad.clone() for weight in network.parameters())])
    torch.testing.assert_close(*results)
    assert not results[0][1].isnan().any() and (results[0][1] != 0).all()


def test_nothing_of_the_graph_is_kept():
    (a, _), seen = inputs(), []

    def function(x):
        hidden = x.exp()
        seen.append(weakref.ref(hidden))
        return (hidden * hidden).sum()

    value = with_early_gradients(function, a)
    gc.collect()
    assert seen[0]() is None and value.requires_grad
    plain = function(a)
    assert plain.requires_grad and seen[1]() is not None  # saved for the backward pass


def test_without_gradients_the_function_is_called():
    (a, b), modes = inputs(), []
    with torch.no_grad():
        assert not with_early_gradients(lambda x: modes.append(torch.is_grad_enabled()) or x.sum(), a).requires_grad
    assert modes == [False]  # no graph
    assert not with_early_gradients(lambda x: x.sum(), b).requires_grad
    assert with_early_gradients(lambda: torch.ones(()), weights=(a,)).item() == 1  # does not depend on it


def test_autocast_is_that_of_a_training():
    """On in the function, off in its backward pass, whose functions choose their precision themselves."""
    states = []

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            states.append(torch.is_autocast_enabled('cpu'))
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            states.append(torch.is_autocast_enabled('cpu'))
            return grad

    a, _ = inputs()
    with torch.autocast('cpu', torch.bfloat16):
        with_early_gradients(lambda x: Watched.apply(x).sum(), a)
    assert states == [True, False]


@pytest.mark.parametrize('dtype, early', [(torch.float16, False), (torch.bfloat16, True)])
def test_float16_waits_for_the_scale(dtype, early):
    """1e-4 squared is below the smallest number of float16; with a scale of 2**16 it is not."""
    weight, x = nn.Parameter(torch.full((1, 8), 1e-4)), torch.full((8, 8), 1e-4)
    with torch.autocast('cpu', dtype):
        value = with_early_gradients(lambda: F.linear(x, weight).float().square().sum(), weights=(weight,))
    assert (value.grad_fn.name() == 'ScaledGradientBackward') == early
