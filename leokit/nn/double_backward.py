"""Second derivatives of convolutions at the speed of first ones.

PyTorch computes the gradient of a gradient with respect to a convolution's weight as a convolution whose kernel is as
large as an image, for which cuDNN has no fast algorithm: in an R1 penalty at 256x256, these calls take longer than
everything else. As a weight gradient, which it also is, it takes as long as one in the first backward pass.
"""

from typing import Any, Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Steps = tuple[int, int]


def _adjoint(x: Tensor, grad: Tensor, weight: Tensor, stride: Steps, padding: Steps,
             wanted: tuple[bool, bool]) -> tuple[Tensor | None, ...]:
    """Gradients of ``conv2d(x, weight)`` with respect to input and weight, and a third entry without meaning."""
    mask = [*wanted, False]
    return torch.ops.aten.convolution_backward(grad, x, weight, None, stride, padding, (1, 1), False, (0, 0), 1,
                                               mask)


class _Conv2d(torch.autograd.Function):
    """A convolution without bias, dilation and groups."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: Steps, padding: Steps) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.steps = stride, padding
        return F.conv2d(x, weight, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad[:2]
        return (_InputGradient.apply(grad, weight, x.detach(), *ctx.steps) if of_x else None,
                _WeightGradient.apply(grad, x, weight.shape, *ctx.steps) if of_weight else None, None, None)


class _InputGradient(torch.autograd.Function):
    """The gradient with respect to the input: linear in the incoming gradient and in the weight."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, weight: Tensor, x: Tensor, stride: Steps, padding: Steps) -> Tensor:
        ctx.save_for_backward(grad, weight)
        ctx.steps = stride, padding
        # of the input, only shape and memory layout matter, which decides whether cuDNN's kernels need copies
        return _adjoint(x, grad, weight, stride, padding, (True, False))[0]

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        grad, weight = ctx.saved_tensors
        of_grad, of_weight = ctx.needs_input_grad[:2]
        return (_Conv2d.apply(second, weight, *ctx.steps) if of_grad else None,
                _WeightGradient.apply(grad, second, weight.shape, *ctx.steps) if of_weight else None, None, None, None)


class _WeightGradient(torch.autograd.Function):
    """The gradient with respect to the weight: linear in the incoming gradient and in the input."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor, shape: Sequence[int], stride: Steps, padding: Steps) -> Tensor:
        ctx.save_for_backward(grad, x)
        ctx.steps = stride, padding
        return _adjoint(x, grad, grad.new_empty(1).expand(shape), stride, padding, (False, True))[1]

    @staticmethod
    def backward(ctx: Any, second: Tensor) -> tuple[Tensor | None, ...]:
        grad, x = ctx.saved_tensors
        of_grad, of_x = ctx.needs_input_grad[:2]
        return (_Conv2d.apply(x, second, *ctx.steps) if of_grad else None,
                _InputGradient.apply(grad, second, x.detach(), *ctx.steps) if of_x else None, None, None, None)


class FastDoubleBackward(TorchFunctionMode):
    """Within this context, plain calls of ``F.conv2d`` have fast second derivatives; the values are the same."""

    def __torch_function__(self, function: Callable, types: Any, args: Sequence[Any] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if function in (F.conv2d, torch.conv2d):
            converted = _convert(*args, **kwargs)
            if converted is not None:
                return converted
        return function(*args, **kwargs)


def _convert(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
             dilation: Any = 1, groups: int = 1) -> Tensor | None:
    if groups != 1 or _pair(dilation) != (1, 1) or isinstance(padding, str):
        return None
    out = _Conv2d.apply(x, weight, _pair(stride), _pair(padding))
    return out if bias is None else out + bias.view(1, -1, 1, 1)


def _pair(value: Any) -> Steps:
    return (value, value) if isinstance(value, int) else tuple(value)
