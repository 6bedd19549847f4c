"""Depthwise convolutions of frozen networks, with the activations on both of their sides.

In bfloat16, and for memory layouts that are channels last (which includes every 1x1 map), PyTorch dispatches depthwise
convolutions to cuDNN, whose engine may launch one kernel per channel: ten thousand launches for one pass of a
perceptual loss, or a backward pass that does not return. PyTorch's own kernels need the other layout, and so a copy of
every activation before and after. On CUDA devices, activations, padding, convolution and bias are therefore one Triton
kernel (:mod:`leokit.feature_extractors.depthwise_kernels`). Elsewhere, in compiled code and where Triton is not
installed they are PyTorch's operators, without cuDNN.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.utils.triton import HAS_TRITON


def depthwise_relu6(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """``relu6(conv(relu6(x)) + bias)``: a depthwise convolution with TensorFlow's ``SAME`` padding.

    Args:
        x (Tensor): Shape (B, C, H, W).
        weight (Tensor): float32, shape (k * k, C); it gets no gradient.
        bias (Tensor): float32, shape (C,); it gets no gradient.
        stride (int): Stride.

    Returns:
        Tensor: Shape (B, C, ceil(H / stride), ceil(W / stride)), in the type of x, channels last on CUDA devices.
    """
    if x.is_cuda and HAS_TRITON and not torch.compiler.is_compiling():
        from leokit.feature_extractors.depthwise_kernels import MAX_ELEMENTS
        if x.numel() <= MAX_ELEMENTS:
            return FusedDepthwise.apply(x, weight, bias, stride)
    kernel = round(len(weight) ** 0.5)
    top, left, bottom, right = same_padding(x, kernel, stride)
    weight = weight.to(x.dtype).t().reshape(-1, 1, kernel, kernel)
    x = F.pad(F.relu6(x), (left, right, top, bottom))
    if torch.compiler.is_compiling() or not x.is_cuda:
        # backend flags are not part of a graph; the compiler chooses the kernel
        y = F.conv2d(x, weight, stride=stride, groups=len(weight))
    else:
        y = _WithoutCudnn.apply(x.contiguous(), weight.contiguous(), stride)
    return F.relu6(y + bias.to(x.dtype)[:, None, None])


class FusedDepthwise(torch.autograd.Function):
    """:func:`depthwise_relu6` as one Triton kernel in each direction."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        from leokit.feature_extractors import depthwise_kernels
        x = x.contiguous(memory_format=torch.channels_last)
        ctx.stride = stride
        ctx.padding = same_padding(x, round(len(weight) ** 0.5), stride)[:2]
        out_size = tuple(-(-size // stride) for size in x.shape[2:])
        out = depthwise_kernels.forward(x, weight, bias, out_size, ctx.padding, stride)
        ctx.save_for_backward(x, weight, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        from leokit.feature_extractors import depthwise_kernels
        x, weight, out = ctx.saved_tensors
        grad = grad.contiguous(memory_format=torch.channels_last)
        return depthwise_kernels.backward(grad, out, x, weight, ctx.padding, ctx.stride), None, None, None


class _WithoutCudnn(torch.autograd.Function):
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


def same_padding(x: Tensor, kernel: int, stride: int) -> tuple[int, int, int, int]:
    """TensorFlow's ``SAME`` padding of a map (B, C, H, W): top, left, bottom, right.

    It is as much as the last output needs, of which an odd rest goes to the end.
    """
    total = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[2:]]
    return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2
