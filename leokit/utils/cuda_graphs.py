"""A scalar function, such as a loss, as a CUDA graph of its forward and backward pass.

A loss of a thousand small kernels takes longer to launch than to run. A CUDA graph launches all of them at once.
Because the gradient of a scalar is linear in the incoming gradient, forward and backward fit into one graph: it
computes value and gradient, and the backward pass of autograd only scales the latter.
"""

from typing import Any, Callable

import torch
from torch import Tensor

from leokit.utils.early_gradients import ScaledGradient, value_and_gradients

WARMUP = 3  # calls before a capture, in which libraries select algorithms and allocate workspaces


class _Capture:
    """One CUDA graph, for inputs of fixed shapes and dtypes; ``inputs`` are examples."""

    def __init__(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]):
        self.inputs = tuple(x.detach().clone().requires_grad_(x.requires_grad) for x in inputs)
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARMUP):
                value_and_gradients(function, self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        # thread_local: other threads, such as the data loader's for pinned memory, may use CUDA meanwhile
        with torch.cuda.graph(self.graph, capture_error_mode='thread_local'):
            self.value, self.gradients = value_and_gradients(function, self.inputs)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, tuple[Tensor | None, ...]]:
        with torch.no_grad():
            for held, given in zip(self.inputs, inputs):
                held.copy_(given)
        self.graph.replay()
        return self.value.clone(), self.gradients


class GraphedScalar:
    """Calls a scalar function of tensors, on CUDA as a graph, captured once per combination of shapes and dtypes.

    The function must do the same work in every call: no randomness, no branches on values, no trainable weights. Its
    result must be differentiated exactly once, before the next call.

    Args:
        function (Callable): Maps tensors to a scalar.
    """

    def __init__(self, function: Callable[..., Tensor]):
        self.function = function
        self._captures: dict[tuple, _Capture] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        differentiable = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
        if not differentiable or any(x.device.type != 'cuda' for x in inputs):
            return self.function(*inputs)
        autocast = torch.get_autocast_dtype('cuda') if torch.is_autocast_enabled('cuda') else None
        kind = (autocast, *((x.shape, x.dtype, x.device, x.requires_grad) for x in inputs))
        if kind not in self._captures:
            self._captures[kind] = _Capture(self.function, inputs)
        return ScaledGradient.apply(self._captures[kind], *inputs)

    def __getstate__(self) -> dict[str, Any]:
        # a graph belongs to one process and one object
        return dict(function=self.function, _captures={})
