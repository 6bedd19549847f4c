"""Depthwise convolutions of frozen networks without cuDNN.

In bfloat16, and for memory layouts that are channels last (which includes every 1x1 map), PyTorch dispatches depthwise
convolutions to cuDNN, whose engine may launch one kernel per channel: ten thousand launches for one pass of a
perceptual loss, or a backward pass that does not return. With cuDNN disabled, PyTorch uses its own kernels, forward and
backward. Nothing changes on other devices and in compiled code.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class _OwnKernels(torch.autograd.Function):
    """A depthwise convolution with a frozen weight, forward and backward without cuDNN."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.shape, ctx.stride = x.shape, stride
        with torch.backends.cudnn.flags(enabled=False):
            return F.conv2d(x, weight, stride=stride, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        weight, = ctx.saved_tensors
        with torch.backends.cudnn.flags(enabled=False):
            return torch.nn.grad.conv2d_input(
                ctx.shape, weight, grad.contiguous(), stride=ctx.stride, groups=len(weight)), None, None


class FrozenDepthwiseConv2d(nn.Module):
    """Depthwise convolution with TensorFlow's ``SAME`` padding and no gradient for its weight.

    Args:
        weight (Tensor): Shape (C, 1, k, k).
        stride (int): Stride.
    """

    def __init__(self, weight: Tensor, stride: int):
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C, ceil(H / stride), ceil(W / stride))."""
        (top, bottom), (left, right) = (self._padding(size) for size in x.shape[-2:])
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        x = F.pad(x, (left, right, top, bottom)).contiguous()
        weight = self.weight.to(x.dtype).contiguous()
        if torch.compiler.is_compiling():  # backend flags are not part of a graph; the compiler chooses the kernel
            return F.conv2d(x, weight, stride=self.stride, groups=len(weight))
        with torch.autocast(x.device.type, enabled=False):
            return _OwnKernels.apply(x, weight, self.stride)

    def _padding(self, size: int) -> tuple[int, int]:
        # as much as the last output needs; an odd rest goes to the end
        kernel = self.weight.shape[-1]
        total = max((-(-size // self.stride) - 1) * self.stride + kernel - size, 0)
        return total // 2, total - total // 2

    def extra_repr(self) -> str:
        return f'{len(self.weight)}, kernel_size={self.weight.shape[-1]}, stride={self.stride}'


def replace_depthwise(network: nn.Module) -> None:
    """Replace every depthwise convolution of a network with ``SAME`` padding, in place.

    The depthwise convolutions must have no bias and no dilation.
    """
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d) and child.groups == child.in_channels == child.out_channels > 1:
                setattr(module, name, FrozenDepthwiseConv2d(child.weight, child.stride[0]))
