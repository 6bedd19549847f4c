"""Scalar functions, such as losses, whose gradients are computed together with their values.

The gradient of a scalar is linear in the incoming gradient, so it can be computed before that is known: the backward
pass of autograd only scales it. Nothing of the function's graph is kept until then; if a sum of losses is
differentiated, the activations of one loss at a time are in memory.
"""

from typing import Any, Callable

import torch
from torch import Tensor

Gradients = tuple[Tensor | None, ...]


class ScaledGradient(torch.autograd.Function):
    """A value with known gradients: ``evaluate(*inputs)`` returns both."""

    @staticmethod
    def forward(ctx: Any, evaluate: Callable[..., tuple[Tensor, Gradients]], *inputs: Tensor) -> Tensor:
        value, ctx.gradients = evaluate(*inputs)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        scaled = iter(torch._foreach_mul([known for known in ctx.gradients if known is not None], grad))
        return None, *(None if known is None else next(scaled) for known in ctx.gradients)


def value_and_gradients(function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> tuple[Tensor, Gradients]:
    """Evaluate a scalar function and its gradients.

    Args:
        function (Callable): Maps tensors to a scalar.
        inputs (tuple[Tensor, ...]): Its arguments, leaves of the autograd graph.

    Returns:
        tuple: The detached value, and the gradient of every input (None if it does not require one or the value does
        not depend on it).
    """
    with torch.enable_grad():
        value = function(*inputs)
    if not value.requires_grad:  # a constant, such as a penalty that is not due
        return value, (None,) * len(inputs)
    wanted = [x for x in inputs if x.requires_grad]
    with torch.autocast(value.device.type, enabled=False):  # as in the backward pass of a training
        gradients = iter(torch.autograd.grad(value, wanted, allow_unused=True))
    return value.detach(), tuple(next(gradients) if x.requires_grad else None for x in inputs)


def with_early_gradients(function: Callable[..., Tensor], *inputs: Tensor, weights: tuple[Tensor, ...] = ()) -> Tensor:
    """``function(*inputs)``, differentiated at once.

    In float16, where losses must be scaled before they are differentiated, it waits for the backward pass.

    Args:
        function (Callable): Maps tensors to a scalar.
        *inputs (Tensor): Its arguments.
        weights (tuple[Tensor, ...]): Leaves of the autograd graph that the value depends on too. Gradients of other
            tensors are lost.
    """
    if not torch.is_grad_enabled() or not any(x.requires_grad for x in inputs + weights):
        return function(*inputs)
    device = (inputs + weights)[0].device.type
    if torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) == torch.float16:
        return function(*inputs)
    leaves = tuple(x.detach().requires_grad_(x.requires_grad) for x in inputs)
    value, gradients = value_and_gradients(lambda *_: function(*leaves), leaves + weights)
    if all(known is None for known in gradients):
        return value
    return ScaledGradient.apply(lambda *_: (value, gradients), *inputs, *weights)
