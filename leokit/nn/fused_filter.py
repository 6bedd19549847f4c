"""FIR filtering with [1, 3, 3, 1] as one operator, for CUDA devices; ``torch.compile`` sees one operator too.

The transposed matrix of zero insertion by ``up``, padding, filtering with a symmetric kernel and decimation by ``down``
inserts zeros by ``down`` and decimates by ``up``. The derivative is therefore another filter, which can be
differentiated in turn.
"""

from typing import Any

import torch
from torch import Tensor

TAPS, TAP_SUM = 4, 8  # of [1, 3, 3, 1]


def fused_filter(x: Tensor, out_size: tuple[int, int], *, up: int = 1, down: int = 1, pad: int = 0,
                 gain: float = 1.0) -> Tensor:
    """Zero insertion, padding, filter, decimation.

    Args:
        x (Tensor): Shape (B, C, H, W).
        out_size (tuple[int, int]): Height H' and width W' of the result; what it needs beyond the input is zero.
        up (int): Factor of the zero insertion.
        down (int): Every ``down``-th sample is kept.
        pad (int): Zeros above and to the left; may be negative.
        gain (float): Factor on the kernel, whose sum is 1.

    Returns:
        Tensor: Shape (B, C, H', W'), channels last.
    """
    # here, where a compiler sees it: a layout that agrees already costs nothing
    x = x.contiguous(memory_format=torch.channels_last)
    return torch.ops.leokit.fir_filter(x, *out_size, up, down, pad, gain)


@torch.library.custom_op('leokit::fir_filter', mutates_args=())
def _filter(x: Tensor, height: int, width: int, up: int, down: int, pad: int, gain: float) -> Tensor:
    from leokit.nn.resample_kernels import fir_filter
    x = x.contiguous(memory_format=torch.channels_last)
    return fir_filter(x, (height, width), up=up, down=down, pad=pad, gain=gain / TAP_SUM**2)


@_filter.register_fake
def _(x: Tensor, height: int, width: int, up: int, down: int, pad: int, gain: float) -> Tensor:
    return torch.empty((*x.shape[:2], height, width), dtype=x.dtype, device=x.device, memory_format=torch.channels_last)


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, _, _, up, down, pad, gain = inputs
    ctx.size = x.shape[2:]
    ctx.transposed = dict(up=down, down=up, pad=TAPS - 1 - pad, gain=gain)


def _differentiate(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return fused_filter(grad, ctx.size, **ctx.transposed), None, None, None, None, None, None


_filter.register_autograd(_differentiate, setup_context=_save)
