"""Low-pass filtering and resampling with the FIR kernel [1, 3, 3, 1] (StyleGAN2).

The kernel is separable and has few taps, so every operation here is a sum of shifted slices: memory is read once, and a
compiler fuses the operation with its neighbors. In code that is not compiled, such as the R1 penalty, slices and their
derivatives would be many kernels: on CUDA devices the blur is one there, and so are its derivatives, which are filters
too. :func:`upfirdn2d_reference` is the slow definition that the tests compare with.
"""

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

from leokit.nn.fused_filter import fused_filter
from leokit.utils.triton import HAS_TRITON

FIR_TAPS = (1.0, 3.0, 3.0, 1.0)
FIR_SUM = sum(FIR_TAPS)
FUSED_WHEN_COMPILED = False  # the kernel in compiled training too, instead of slices
MAX_POSITIONS = 2**29  # of the kernel, whose result may have four times as many; their indices are int32


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The 2D kernel: outer product of [1, 3, 3, 1] / 8 with itself, times ``gain``; shape (4, 4)."""
    taps = torch.tensor(FIR_TAPS) / FIR_SUM
    return torch.outer(taps, taps) * gain


def upfirdn2d_reference(x: Tensor, *, up: int = 1, down: int = 1, pad: tuple[int, int] = (0, 0),
                        gain: float = 1.0) -> Tensor:
    """Zero insertion, padding, FIR filter, decimation: the definition.

    Args:
        x (Tensor): Shape (B, C, H, W).
        up (int): Factor by which inserted zeros enlarge height and width.
        down (int): Every ``down``-th sample is kept.
        pad (tuple[int, int]): Zeros before and after, on both axes.
        gain (float): Factor on the kernel (4 if ``up`` is 2).

    Returns:
        Tensor: Shape (B, C, H', W') with H' = (H * up + sum(pad) - 4) // down + 1.
    """
    b, c, h, w = x.shape
    if up > 1:
        stuffed = x.new_zeros(b, c, h, up, w, up)
        stuffed[:, :, :, 0, :, 0] = x
        x = rearrange(stuffed, 'b c h up1 w up2 -> b c (h up1) (w up2)')
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
    kernel = fir_kernel(gain).to(x).expand(c, 1, 4, 4)
    return F.conv2d(x, kernel, stride=down, groups=c)


def _filter_axis(x: Tensor, axis: int, stride: int, gain: float = 1.0) -> Tensor:
    """Valid correlation with ``gain`` * [1, 3, 3, 1] / 8 along one axis, every ``stride``-th result."""
    length = (x.shape[axis] - len(FIR_TAPS)) // stride + 1
    span = (length - 1) * stride + 1

    def tap(offset: int) -> Tensor:
        taken = x.narrow(axis, offset, span)
        return taken[:, :, ::stride] if axis == 2 else taken[:, :, :, ::stride]

    outer, inner = gain * FIR_TAPS[0] / FIR_SUM, gain * FIR_TAPS[1] / FIR_SUM
    return (tap(0) + tap(3)) * outer + (tap(1) + tap(2)) * inner


def _can_fuse(x: Tensor) -> bool:
    if not (x.is_cuda and HAS_TRITON and x.dtype in (torch.float32, torch.bfloat16, torch.float16)
            and x.shape[0] * x.shape[2] * x.shape[3] < MAX_POSITIONS):
        return False
    if torch.compiler.is_compiling():  # which chooses the layout
        return FUSED_WHEN_COMPILED and torch.is_grad_enabled()
    return x.is_contiguous(memory_format=torch.channels_last)


def blur(x: Tensor, pad: tuple[int, int], *, stride: int = 1, gain: float = 1.0) -> Tensor:
    """FIR low-pass, optionally keeping every ``stride``-th sample.

    Equal to ``upfirdn2d_reference(x, down=stride, pad=pad, gain=gain)``.

    Args:
        x (Tensor): Shape (B, C, H, W).
        pad (tuple[int, int]): Zeros before and after, on both axes.
        stride (int): Decimation.
        gain (float): Factor on the result.

    Returns:
        Tensor: Shape (B, C, H', W') with H' = (H + sum(pad) - 4) // stride + 1.
    """
    if _can_fuse(x):
        out_size = tuple((size + sum(pad) - len(FIR_TAPS)) // stride + 1 for size in x.shape[2:])
        return fused_filter(x, out_size, down=stride, pad=pad[0], gain=gain)
    if x.device.type == 'cpu' and not torch.compiler.is_compiling():
        # Uncompiled on a CPU, one depthwise convolution per axis is faster than four slices, with fewer passes over
        # memory. On CUDA, cuDNN may launch one kernel per channel.
        c = x.shape[1]
        taps = torch.tensor(FIR_TAPS, dtype=x.dtype, device=x.device) / FIR_SUM
        x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
        x = F.conv2d(x, (taps * gain).view(1, 1, 4, 1).expand(c, 1, 4, 1), stride=(stride, 1), groups=c)
        return F.conv2d(x, taps.view(1, 1, 1, 4).expand(c, 1, 1, 4), stride=(1, stride), groups=c)
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
    return _filter_axis(_filter_axis(x, 2, stride, gain), 3, stride)


def upsample2x(x: Tensor) -> Tensor:
    """Double height and width with the FIR kernel at gain 4 and zeros outside.

    Equal to ``upfirdn2d_reference(x, up=2, pad=(2, 1), gain=4)``: sample 2j is
    (x[j-1] + 3 x[j]) / 4 and sample 2j+1 is (3 x[j] + x[j+1]) / 4 on each axis.

    Args:
        x (Tensor): Shape (B, C, H, W).

    Returns:
        Tensor: Shape (B, C, 2H, 2W).
    """
    b, c, h, w = x.shape
    x = F.pad(x, (1, 1, 1, 1))
    center = x[:, :, 1:-1] * 0.75
    x = torch.stack((center + x[:, :, :-2] * 0.25, center + x[:, :, 2:] * 0.25), dim=3).reshape(b, c, 2 * h, w + 2)
    center = x[:, :, :, 1:-1] * 0.75
    x = torch.stack((center + x[:, :, :, :-2] * 0.25, center + x[:, :, :, 2:] * 0.25), dim=4)
    return x.reshape(b, c, 2 * h, 2 * w)
