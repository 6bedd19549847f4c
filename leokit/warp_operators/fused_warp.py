"""Masked bilinear warping as one operator, for CUDA devices.

``grid_sample`` computes in float32 and in the layout that is not channels last, so mixed-precision training copies and
converts every feature map before and after it, and its backward pass scatters into a float32 buffer. Here the feature
stays as it is (:mod:`leokit.warp_operators.warp_kernels`); the arithmetic is float32. ``torch.compile`` sees one
operator. As of ``grid_sample``, there are first derivatives only.
"""

from typing import Any

import torch
from torch import Tensor

from leokit.utils.triton import HAS_TRITON

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MIN_CHANNELS = 8  # of the feature; for images, grid_sample is as good
MAX_POSITIONS = 2**31 - 2**16  # their indices are int32


def can_fuse(feature: Tensor, flow: Tensor) -> bool:
    """Whether :func:`fused_warp` handles these tensors, and not more slowly than ``grid_sample``.

    The feature must be channels last, unless the compiler chooses its layout. Compiled code without gradients does
    better with ``grid_sample``, which it fuses with the operations around it.
    """
    compiling = torch.compiler.is_compiling()
    if not (feature.is_cuda and HAS_TRITON and feature.dtype in DTYPES):
        return False
    if compiling and not torch.is_grad_enabled():
        return False
    channels, height, width = feature.shape[1:]
    return (channels >= MIN_CHANNELS and min(height, width) > 1 and flow.shape[0] * height * width < MAX_POSITIONS
            and (compiling or feature.is_contiguous(memory_format=torch.channels_last)))


def fused_warp(feature: Tensor, flow: Tensor, mask: Tensor, ends: tuple[float, float], align_corners: bool) -> Tensor:
    """``mask * bilinear(feature, flow)``; arguments and result as in :class:`~leokit.warp_operators.BilinearWarp`.

    Args:
        feature (Tensor): Shape (S, C, H, W).
        flow (Tensor): Shape (S*T, 2, H, W).
        mask (Tensor): Shape (S*T, 1, H, W).
        ends (tuple[float, float]): Largest coordinates x and y of the identity grid.
        align_corners (bool): -1 and 1 are the centers of the corner pixels, not their outer edges.

    Returns:
        Tensor: Shape (S*T, C, H, W), channels last, in the feature's dtype.
    """
    # here, where a compiler sees it: layouts that agree already cost nothing
    feature = feature.contiguous(memory_format=torch.channels_last)
    return torch.ops.leokit.bilinear_warp(feature, flow.contiguous(), mask.contiguous(), *ends, align_corners)


@torch.library.custom_op('leokit::bilinear_warp', mutates_args=())
def _warp(feature: Tensor, flow: Tensor, mask: Tensor, end_x: float, end_y: float, align_corners: bool) -> Tensor:
    from leokit.warp_operators import warp_kernels
    return warp_kernels.forward(*_laid_out(feature, flow, mask), (end_x, end_y), align_corners)


@_warp.register_fake
def _(feature: Tensor, flow: Tensor, mask: Tensor, end_x: float, end_y: float, align_corners: bool) -> Tensor:
    return torch.empty((flow.shape[0], *feature.shape[1:]), dtype=feature.dtype, device=feature.device,
                       memory_format=torch.channels_last)


@torch.library.custom_op('leokit::bilinear_warp_backward', mutates_args=())
def _warp_backward(grad: Tensor, feature: Tensor, flow: Tensor, mask: Tensor, end_x: float, end_y: float,
                   align_corners: bool, of_feature: bool) -> tuple[Tensor, Tensor, Tensor]:
    from leokit.warp_operators import warp_kernels
    grad = grad.contiguous(memory_format=torch.channels_last)
    return warp_kernels.backward(grad, *_laid_out(feature, flow, mask), (end_x, end_y), align_corners, of_feature)


@_warp_backward.register_fake
def _(grad: Tensor, feature: Tensor, flow: Tensor, mask: Tensor, end_x: float, end_y: float, align_corners: bool,
      of_feature: bool) -> tuple[Tensor, Tensor, Tensor]:
    of_source = torch.empty_like(feature, memory_format=torch.channels_last) if of_feature else feature.new_empty(0)
    return of_source, *(torch.empty_like(x, memory_format=torch.contiguous_format) for x in (flow, mask))


def _laid_out(feature: Tensor, flow: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The layouts of the kernels, whatever a compiler has made of them."""
    return feature.contiguous(memory_format=torch.channels_last), flow.contiguous(), mask.contiguous()


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.geometry = inputs[3:]


def _differentiate(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    grad = grad.contiguous(memory_format=torch.channels_last)
    of_feature = ctx.needs_input_grad[0]
    feature, flow, mask = torch.ops.leokit.bilinear_warp_backward(
        grad, *ctx.saved_tensors, *ctx.geometry, of_feature)
    return feature if of_feature else None, flow, mask, None, None, None


_warp.register_autograd(_differentiate, setup_context=_save)
