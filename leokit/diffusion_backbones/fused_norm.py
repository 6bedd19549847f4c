"""Group normalization, modulation, SiLU and the taps of the convolution that follows as one operator, for CUDA devices.

A compiler separates the statistics from what uses them, and sums of the backward pass from each other. Here it is one
kernel in each direction; ``torch.compile`` sees one operator, and the matrix product of the convolution remains the
library's. There are first derivatives only.
"""

from typing import Any

import torch
from torch import Tensor

from leokit.utils.triton import HAS_TRITON

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
MAX_POSITIONS = 2**31 - 2**16  # of frames and channels of a batch, in 32-bit integers


def can_fuse(x: Tensor, groups: int) -> bool:
    """Whether :func:`fused_norm` handles a sequence (B, T, C): on a CUDA device, and a group of it fits a program."""
    if not (x.is_cuda and HAS_TRITON and x.dtype in DTYPES):
        return False
    from leokit.diffusion_backbones.norm_kernels import MAX_TILE, tile_of
    rows, columns = tile_of(1, x.shape[2] // groups)
    # all are powers of two; a compiler may not know the number of frames, so there is one comparison with it
    return x.shape[1] <= MAX_TILE // (rows * columns) and 0 < x.numel() < MAX_POSITIONS


def fused_norm(x: Tensor, gain: Tensor, shift: Tensor, groups: int, eps: float, *, one_plus: bool = False,
               silu: bool = False, taps: int = 1) -> Tensor:
    """Normalize over time and the channels of a group, times gain plus shift, SiLU, taps.

    Args:
        x (Tensor): Sequences, shape (B, T, C).
        gain (Tensor): Of each channel, shape (B, C), or (1, C) for all sequences.
        shift (Tensor): Of the shape of ``gain``.
        groups (int): Groups of channels.
        eps (float): Added to the variance.
        one_plus (bool): The factor is one plus the gain.
        silu (bool): Apply SiLU.
        taps (int): Odd number of frames that the result holds side by side, those around a frame in their order, with
            zeros beyond the ends; what a convolution over time is a matrix product of.

    Returns:
        Tensor: Shape (B, T, taps * C), in the dtype of ``x``.
    """
    return torch.ops.leokit.group_norm(x.contiguous(), gain, shift, groups, eps, one_plus, silu, taps)[0]


@torch.library.custom_op('leokit::group_norm', mutates_args=())
def _norm(x: Tensor, gain: Tensor, shift: Tensor, groups: int, eps: float, one_plus: bool, silu: bool,
          taps: int) -> tuple[Tensor, Tensor]:
    from leokit.diffusion_backbones import norm_kernels
    return norm_kernels.forward(x.contiguous(), _rows(gain), _rows(shift), groups, eps, one_plus=one_plus, silu=silu,
                                taps=taps)


@_norm.register_fake
def _(x: Tensor, gain: Tensor, shift: Tensor, groups: int, eps: float, one_plus: bool, silu: bool,
      taps: int) -> tuple[Tensor, Tensor]:
    batch, frames, channels = x.shape
    return (x.new_empty((batch, frames, taps * channels)),
            x.new_empty((batch, groups, 2), dtype=torch.float32))


@torch.library.custom_op('leokit::group_norm_backward', mutates_args=())
def _norm_backward(grad: Tensor, x: Tensor, gain: Tensor, shift: Tensor, statistics: Tensor, one_plus: bool, silu: bool,
                   taps: int) -> tuple[Tensor, Tensor]:
    from leokit.diffusion_backbones import norm_kernels
    return norm_kernels.backward(grad.contiguous(), x.contiguous(), _rows(gain), _rows(shift), statistics,
                                 one_plus=one_plus, silu=silu, taps=taps)


@_norm_backward.register_fake
def _(grad: Tensor, x: Tensor, gain: Tensor, shift: Tensor, statistics: Tensor, one_plus: bool, silu: bool,
      taps: int) -> tuple[Tensor, Tensor]:
    return (torch.empty_like(x, memory_format=torch.contiguous_format),
            x.new_empty((2, x.shape[0], x.shape[2]), dtype=torch.float32))


def _rows(parameters: Tensor) -> Tensor:
    """Rows of channels that are next to each other; a slice of a larger matrix is read as it is."""
    return parameters if parameters.stride(1) == 1 else parameters.contiguous()


def _save(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
    x, gain, shift, _, _, *ctx.options = inputs
    ctx.save_for_backward(x, gain, shift, output[1])
    ctx.mark_non_differentiable(output[1])


def _differentiate(ctx: Any, grad: Tensor, _: Tensor | None) -> tuple[Tensor | None, ...]:
    x, gain, shift, statistics = ctx.saved_tensors
    of_x, of_parameters = torch.ops.leokit.group_norm_backward(grad.contiguous(), x, gain, shift, statistics,
                                                               *ctx.options)
    if len(gain) == 1:
        of_parameters = of_parameters.sum(1, keepdim=True)
    of_gain, of_shift = of_parameters[0].to(gain.dtype), of_parameters[1].to(shift.dtype)
    return of_x, of_gain, of_shift, None, None, None, None, None


_norm.register_autograd(_differentiate, setup_context=_save)
