"""A scalar function replayed as a CUDA graph, its gradient with it.

A loss made of a thousand small kernels takes longer to launch than to run. A CUDA graph launches all of them at once;
and since the gradient of a scalar is a constant times the gradient for 1, forward and backward fit into one graph:
the value comes with its gradient, and backward only scales it.
"""

from typing import Any, Callable

import torch
from torch import Tensor

WARMUP = 3  # calls before a capture, in which libraries choose algorithms and reserve memory


class _ScaledGradient(torch.autograd.Function):
    """A value whose gradient is known already."""

    @staticmethod
    def forward(ctx: Any, evaluate: Callable[..., tuple[Tensor, tuple[Tensor | None, ...]]], *inputs: Tensor) -> Tensor:
        value, ctx.gradients = evaluate(*inputs)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return None, *(None if known is None else known * grad for known in ctx.gradients)


def value_and_gradients(function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> tuple[
        Tensor, tuple[Tensor | None, ...]]:
    """A scalar function with its gradients.

    Args:
        function (Callable): Tensors to a scalar.
        inputs (tuple[Tensor, ...]): Its arguments, leaves of the graph.

    Returns:
        tuple: The value, detached, and a gradient for every input; None where none is required.
    """
    with torch.enable_grad():
        value = function(*inputs)
        wanted = [x for x in inputs if x.requires_grad]
        gradients = iter(torch.autograd.grad(value, wanted))
    return value.detach(), tuple(next(gradients) if x.requires_grad else None for x in inputs)


class _Capture:
    """One graph, for inputs of one kind.

    Args:
        function (Callable): Tensors to a scalar.
        inputs (tuple[Tensor, ...]): Examples.
    """

    def __init__(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]):
        self.inputs = tuple(x.detach().clone().requires_grad_(x.requires_grad) for x in inputs)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARMUP):
                value_and_gradients(function, self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        # other threads, such as the one that pins memory for the data loader, may go on meanwhile
        with torch.cuda.graph(self.graph, capture_error_mode='thread_local'):
            self.value, self.gradients = value_and_gradients(function, self.inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        with torch.no_grad():
            for held, given in zip(self.inputs, inputs):
                held.copy_(given)
        self.graph.replay()
        return self.value.clone(), self.gradients


class GraphedScalar:
    """Calls a scalar function of tensors, on CUDA as a graph that is captured once for every kind of inputs.

    The function must do the same work at every call: no randomness, no decisions by values, no trained weights of its
    own. What it returns must be differentiated before the next call, and once.

    Args:
        function (Callable): Tensors to a scalar.
    """

    def __init__(self, function: Callable[..., Tensor]):
        self.function = function
        self._captures: dict[tuple, _Capture] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The function's value; away from CUDA, or where no gradient is asked for, by calling it."""
        wanted = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
        if not wanted or any(x.device.type != 'cuda' for x in inputs):
            return self.function(*inputs)
        autocast = torch.get_autocast_dtype('cuda') if torch.is_autocast_enabled('cuda') else None
        kind = (autocast, *((x.shape, x.dtype, x.device, x.requires_grad) for x in inputs))
        if kind not in self._captures:
            self._captures[kind] = _Capture(self.function, inputs)
        return _ScaledGradient.apply(self._captures[kind], *inputs)

    def __getstate__(self) -> dict[str, Any]:
        # a graph belongs to this process and this very object
        return dict(function=self.function, _captures={})
