"""A temporal U-Net over motion codes: LEO's denoiser (arXiv 2305.03989, section 3.2).

:class:`UNet1D` is the network, the other classes are its layers; levels, skip connections and conditioning are in
``unet.py``, which the image U-Net shares.

All layers work on (B, T, C), channels last. Sequences are short (20 to 64 frames), so run time depends on the number of
kernels, not on arithmetic. A convolution over time is one matrix product of shifted copies, which the compiler fuses
with the normalization before it; no layer changes the memory layout. Inside the blocks there are no biases and gains
that a modulation or a later normalization makes redundant, because the gradient of each costs kernels of its own.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from leokit.diffusion_backbones.fused_norm import can_fuse, fused_norm
from leokit.diffusion_backbones.unet import UNet, UNetLayers
from leokit.nn import ControlInput, masked_var_mean, zero_padding
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import UserError, check_shape
from leokit.utils.batch_random import BatchDropout

NORM_KERNELS = ('auto', 'torch', 'triton')


@DIFFUSION_BACKBONES.register_module()
class UNet1D(UNet):
    """Temporal U-Net; its output is zero at initialization. The defaults have about 15 million parameters.

    Args:
        motion_dim (int): Motion dimension N.
        channels (Sequence[int]): Width of each level, fine to coarse; every level halves the number of frames.
        num_blocks (int): Residual blocks per level, on the way down and on the way up.
        attention_levels (Sequence[int]): Levels with self-attention (0 is the finest); the middle always has it.
        embedding_dim (int): Width of the embedding of time and condition.
        cond_dim (int): Width of the condition vector; 0 for none.
        head_dim (int): Width of an attention head.
        dropout (float): Dropout in the residual blocks.
        control_dim (int): Width of the control of each frame; 0 for none.
        norm_kernel (str): ``'torch'``; ``'triton'``: normalization, modulation, SiLU and the taps of the convolution
            that follows are one kernel on CUDA devices (:mod:`leokit.diffusion_backbones.fused_norm`, without second
            derivatives), unless there is a mask or dropout; or ``'auto'``: the latter in mixed precision.
    """

    def __init__(self, motion_dim: int = 20, channels: Sequence[int] = (256, 256, 384), *, num_blocks: int = 2,
                 attention_levels: Sequence[int] = (1, 2), embedding_dim: int = 256, cond_dim: int = 0,
                 head_dim: int = 64, dropout: float = 0.0, control_dim: int = 0, norm_kernel: str = 'auto') -> None:
        if norm_kernel not in NORM_KERNELS:
            raise UserError(f'UNet1D: norm_kernel={norm_kernel!r} must be one of {", ".join(NORM_KERNELS)}')
        layers = UNetLayers(conv=TemporalConv, norm=TemporalGroupNorm, block=ResidualBlock, attention=TemporalAttention,
                            upsample=upsample_frames, channel_axis=-1)
        super().__init__(motion_dim, motion_dim, layers=layers, channels=channels, num_blocks=num_blocks,
                         attention_levels=attention_levels, embedding_dim=embedding_dim, cond_dim=cond_dim,
                         head_dim=head_dim, dropout=dropout)
        self.motion_dim = motion_dim
        self.control = ControlInput(control_dim, channels[0])
        for module in self.modules():
            if isinstance(module, TemporalGroupNorm):
                module.kernel = norm_kernel

    @property
    def autocast_layers(self) -> tuple[type[nn.Module], ...]:
        """See :class:`~leokit.utils.autocast_copy.AutocastCopy`."""
        return nn.Linear, TemporalConv

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, mask: Tensor | None = None,
                control: Tensor | None = None, time_table: Tensor | None = None) -> Tensor:
        """Predict from a noisy sequence.

        Args:
            x (Tensor): Noisy motion sequence of any length, shape (B, T, N).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            mask (Tensor, optional): True in the first frames, which count, bool, shape (B, T); at least one of each
                sequence.
            control (Tensor, optional): Control of each frame, shape (B, T, control_dim).
            time_table (Tensor, optional): That of :meth:`time_table`, for calls with many times.

        Returns:
            Tensor: Prediction, shape (B, T, N).
        """
        check_shape('x', x, (None, None, self.motion_dim))
        if mask is not None:
            check_shape('mask', mask, tuple(x.shape[:2]))
            mask = mask[..., None]  # (B, T, 1)
        return self.denoise(x, t, cond, mask=mask, enter=lambda h: self.control(h, control, mask),
                            time_table=time_table)


class TemporalConv(nn.Module):
    """Convolution over time, padded with zeros: T frames become ceil(T / stride).

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd number of taps.
        stride (int): Step along time.
        bias (bool): Add a bias.
        zero_init (bool): Initialize the weight with zeros.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1,
                 bias: bool = True, zero_init: bool = False) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        self.kernel_size = kernel_size
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out_channels, kernel_size * in_channels))  # taps major, channels minor
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        if zero_init:
            nn.init.zeros_(self.weight)
        else:
            nn.init.uniform_(self.weight, *[s / math.sqrt(kernel_size * in_channels) for s in (-1, 1)])

    def forward(self, x: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Convolve (B, T, in_channels) to (B, ceil(T / stride), out_channels); the mask (B, T, 1) is of the input."""
        reach, frames = self.kernel_size // 2, x.shape[1]
        padded = F.pad(zero_padding(x, mask), (0, 0, reach, reach))
        taps = [padded[:, k:k + frames:self.stride] for k in range(self.kernel_size)]
        return self.of_taps(torch.cat(taps, dim=-1))

    def of_taps(self, taps: Tensor) -> Tensor:
        """Convolve frames that are side by side, (B, T', kernel_size * in_channels), to (B, T', out_channels)."""
        return F.linear(taps, self.weight, self.bias)


class TemporalGroupNorm(nn.Module):
    """Group normalization of a sequence (arXiv 1803.08494) in float32, with an optional scale and shift per sample.

    Args:
        channels (int): Channels.
        groups (int): Groups, few because sequences are short; lowered to the greatest common divisor with ``channels``.
        affine (bool): Learn a gain and a bias per channel.
        eps (float): Added to the variance.
    """

    def __init__(self, channels: int, groups: int = 8, *, affine: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.groups = math.gcd(groups, channels)
        self.eps = eps
        self.kernel = 'auto'  # one of NORM_KERNELS
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None, *,
                mask: Tensor | None = None) -> Tensor:
        """Normalize over time and the channels of a group, then apply ``(1 + scale)`` and ``shift``.

        Args:
            x (Tensor): Sequence, shape (B, T, C).
            scale (Tensor, optional): Scale minus one per sample, shape (B, C).
            shift (Tensor, optional): Shift per sample, shape (B, C).
            mask (Tensor, optional): True in frames that count in the statistics, bool, shape (B, T, 1).

        Returns:
            Tensor: Sequence in the dtype of ``x``, shape (B, T, C).
        """
        if self.fuses(x, scale, mask):
            return self.fused(x, scale, shift)
        grouped = rearrange(x.float(), 'b t (g c) -> b t g c', g=self.groups)
        variance, mean = masked_var_mean(grouped, None if mask is None else mask[..., None], (1, 3))  # (B, 1, G, 1)
        normed = rearrange((grouped - mean) * torch.rsqrt(variance + self.eps), 'b t g c -> b t (g c)')
        if self.weight is not None:
            normed = normed * self.weight + self.bias
        if scale is not None:
            normed = normed * (1 + scale[:, None]) + shift[:, None]
        return normed.to(x.dtype)

    def fuses(self, x: Tensor, scale: Tensor | None, mask: Tensor | None) -> bool:
        """Whether :meth:`fused` computes this."""
        # under autocast a sequence comes from a matrix product, in half precision
        is_wanted = self.kernel == 'triton' or self.kernel == 'auto' and x.dtype != torch.float32
        return is_wanted and mask is None and (self.weight is None) != (scale is None) and can_fuse(x, self.groups)

    def fused(self, x: Tensor, scale: Tensor | None, shift: Tensor | None, **options: Any) -> Tensor:
        """:meth:`forward` with SiLU or taps after it, which are options of ``fused_norm``."""
        if scale is not None:
            return fused_norm(x, scale, shift, self.groups, self.eps, one_plus=True, **options)
        return fused_norm(x, self.weight[None], self.bias[None], self.groups, self.eps, **options)


class ResidualBlock(nn.Module):
    """Norm, SiLU, conv, norm with scale and shift by the time, SiLU, conv, plus a shortcut.

    The second convolution is initialized with zeros, so the block initially equals its shortcut.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        dropout (float): Dropout before the second convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = TemporalGroupNorm(in_channels)
        self.conv1 = TemporalConv(in_channels, out_channels, bias=False)
        self.norm2 = TemporalGroupNorm(out_channels, affine=False)
        self.dropout = BatchDropout(dropout)
        self.conv2 = TemporalConv(out_channels, out_channels, bias=False, zero_init=True)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else nn.Linear(in_channels, out_channels, bias=False))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Map (B, T, in_channels) to (B, T, out_channels); scale and shift have shape (B, out_channels)."""
        h = self._normed_conv(self.norm1, self.conv1, x, mask=mask)
        return self.shortcut(x) + self._normed_conv(self.norm2, self.conv2, h, scale, shift, mask=mask,
                                                    dropout=self.dropout)

    @staticmethod
    def _normed_conv(norm: TemporalGroupNorm, conv: TemporalConv, x: Tensor, scale: Tensor | None = None,
                     shift: Tensor | None = None, *, mask: Tensor | None,
                     dropout: nn.Dropout | None = None) -> Tensor:
        drops = dropout is not None and dropout.training and dropout.p > 0
        if norm.fuses(x, scale, mask) and not drops:
            return conv.of_taps(norm.fused(x, scale, shift, silu=True, taps=conv.kernel_size))
        h = F.silu(norm(x, scale, shift, mask=mask))
        return conv(dropout(h) if dropout is not None else h, mask=mask)


class TemporalAttention(nn.Module):
    """Self-attention over time with a residual connection; initialized as the identity.

    Args:
        channels (int): Channels.
        head_dim (int): Channels of one head; must divide ``channels``.
    """

    def __init__(self, channels: int, *, head_dim: int = 64) -> None:
        super().__init__()
        if channels % head_dim:
            raise ValueError(f'head_dim={head_dim} must divide the {channels} channels of the level')
        self.head_dim = head_dim
        self.norm = TemporalGroupNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Attend among the frames of (B, T, C) that are in the mask (B, T, 1)."""
        qkv = self.qkv(self.norm(x, mask=mask))
        q, k, v = rearrange(qkv, 'b t (qkv heads d) -> qkv b heads t d', qkv=3, d=self.head_dim)
        keys = None if mask is None else rearrange(mask, 'b t 1 -> b 1 1 t')
        h = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
        return x + self.out(rearrange(h, 'b heads t d -> b t (heads d)'))


def upsample_frames(x: Tensor, like: Tensor) -> Tensor:
    """Repeat every frame of (B, T, C), then crop to the number of frames of ``like``."""
    return x.repeat_interleave(2, dim=1)[:, :like.shape[1]]


def temporal_conv_reference(x: Tensor, layer: TemporalConv) -> Tensor:
    """Definition of :class:`TemporalConv` by torch's convolution, for tests: (B, T, C) -> (B, ceil(T / stride), C')."""
    weight = rearrange(layer.weight, 'out (taps c) -> out c taps', taps=layer.kernel_size)
    x = rearrange(x, 'b t c -> b c t')
    out = F.conv1d(x, weight, layer.bias, stride=layer.stride, padding=layer.kernel_size // 2)
    return rearrange(out, 'b c t -> b t c')
