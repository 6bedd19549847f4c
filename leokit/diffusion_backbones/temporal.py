"""Layers over motion sequences (B, T, C), channels last: every one is a few wide matrix products.

Sequences are short (20 … 64 frames), so time is dominated by the number of kernels, not by arithmetic. A
convolution over time is one matrix product on shifted copies that the compiler builds together with the
normalization before it; no layout is ever changed. Inside the blocks there are no biases and no gains that a
modulation or a later normalization repeats, since the gradient of each costs kernels of its own.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from leokit.diffusion_backbones.attention import split_heads


class TemporalConv(nn.Module):
    """Convolution over time, padded with zeros: T frames become ceil(T / stride).

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        kernel_size (int): Odd number of taps.
        stride (int): Step along time.
        bias (bool): Whether there is a bias.
        zero_init (bool): Start with a zero output.

    Raises:
        ValueError: If ``kernel_size`` is even.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1,
                 bias: bool = True, zero_init: bool = False) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f'kernel_size must be odd, got {kernel_size}')
        self.kernel_size = kernel_size
        self.stride = stride
        self.weight = nn.Parameter(torch.empty(out_channels, kernel_size * in_channels))  # taps slow, channels fast
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        if zero_init:
            nn.init.zeros_(self.weight)
        else:
            nn.init.uniform_(self.weight, *[s / math.sqrt(kernel_size * in_channels) for s in (-1, 1)])

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (B, T, in_channels) to (B, ceil(T / stride), out_channels)."""
        reach, frames = self.kernel_size // 2, x.shape[1]
        padded = F.pad(x, (0, 0, reach, reach))
        taps = [padded[:, k:k + frames:self.stride] for k in range(self.kernel_size)]
        return F.linear(torch.cat(taps, dim=-1), self.weight, self.bias)


def temporal_conv_reference(x: Tensor, layer: TemporalConv) -> Tensor:
    """The plain twin of :class:`TemporalConv`: torch's convolution on (B, C, T) with the layer's weight.

    Args:
        x (Tensor): Sequence, shape (B, T, C).
        layer (TemporalConv): Whose weight, bias and stride to use.

    Returns:
        Tensor: Sequence, shape (B, ceil(T / stride), C').
    """
    weight = layer.weight.unflatten(1, (layer.kernel_size, -1)).transpose(1, 2)  # (C', C, taps)
    out = F.conv1d(x.transpose(1, 2), weight, layer.bias, stride=layer.stride, padding=layer.kernel_size // 2)
    return out.transpose(1, 2)


class TemporalGroupNorm(nn.Module):
    """Group normalization of a sequence (arXiv 1803.08494) in float32, with an optional scale and shift per sample.

    Args:
        channels (int): Channels.
        groups (int): Groups, few because sequences are short; lowered to the greatest common divisor with ``channels``.
        affine (bool): Whether there is a learned gain and bias per channel.
        eps (float): Guard of the division.
    """

    def __init__(self, channels: int, groups: int = 8, *, affine: bool = True, eps: float = 1e-5) -> None:
        super().__init__()
        self.groups = math.gcd(groups, channels)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor, scale: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """Normalize over time and the channels of a group, then apply ``(1 + scale)`` and ``shift``.

        Args:
            x (Tensor): Sequence, shape (B, T, C).
            scale (Tensor, optional): Scale minus one per sample, shape (B, C).
            shift (Tensor, optional): Shift per sample, shape (B, C).

        Returns:
            Tensor: Sequence in the type of ``x``, shape (B, T, C).
        """
        grouped = x.float().unflatten(-1, (self.groups, -1))  # (B, T, G, C / G)
        variance, mean = torch.var_mean(grouped, dim=(1, 3), correction=0, keepdim=True)
        normed = ((grouped - mean) * torch.rsqrt(variance + self.eps)).flatten(-2)
        if self.weight is not None:
            normed = normed * self.weight + self.bias
        if scale is not None:
            normed = normed * (1 + scale[:, None]) + shift[:, None]
        return normed.to(x.dtype)


class ResidualBlock(nn.Module):
    """norm, SiLU, conv, norm with the time's scale and shift, SiLU, conv; plus the input.

    The second convolution starts at zero, so the block starts as its shortcut.

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
        self.dropout = nn.Dropout(dropout)
        self.conv2 = TemporalConv(out_channels, out_channels, bias=False, zero_init=True)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else nn.Linear(in_channels, out_channels, bias=False))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Map (B, T, in_channels) to (B, T, out_channels); scale and shift have shape (B, out_channels)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h, scale, shift))
        return self.shortcut(x) + self.conv2(self.dropout(h))


class TemporalAttention(nn.Module):
    """Self-attention over time with a residual connection; starts as the identity.

    Args:
        channels (int): Channels.
        head_dim (int): Channels of one head; must divide ``channels``.

    Raises:
        ValueError: If ``head_dim`` does not divide ``channels``.
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

    def forward(self, x: Tensor) -> Tensor:
        """Attend among the frames of (B, T, C)."""
        q, k, v = split_heads(self.qkv(self.norm(x)), self.head_dim)
        h = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(h.transpose(1, 2).flatten(2))


def upsample_frames(x: Tensor, like: Tensor) -> Tensor:
    """Double the frames of (B, T, C) by repeating each, then crop to those of ``like``."""
    return x.repeat_interleave(2, dim=1)[:, :like.shape[1]]
