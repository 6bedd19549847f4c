"""Layers over images (B, C, H, W), for any memory format; channels_last is the fast one."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from leokit.diffusion_backbones.attention import split_heads


def spatial_conv(in_channels: int, out_channels: int, *, stride: int = 1, bias: bool = True,
                 zero_init: bool = False) -> nn.Conv2d:
    """3×3 convolution, padded with zeros: n rows become ceil(n / stride).

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        stride (int): Step along both sides.
        bias (bool): Whether there is a bias.
        zero_init (bool): Start with a zero output.

    Returns:
        nn.Conv2d: The layer.
    """
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=bias)
    if zero_init:
        nn.init.zeros_(conv.weight)
    if bias:
        nn.init.zeros_(conv.bias)
    return conv


def spatial_norm(channels: int, *, affine: bool = True) -> nn.GroupNorm:
    """Group normalization with 32 groups, or as many as divide the channels."""
    return nn.GroupNorm(math.gcd(32, channels), channels, affine=affine)


class SpatialBlock(nn.Module):
    """norm, SiLU, conv, norm with scale and shift, SiLU, conv; plus the input. Starts as its shortcut.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of the output.
        dropout (float): Dropout before the second convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = spatial_norm(in_channels)
        self.conv1 = spatial_conv(in_channels, out_channels, bias=False)
        self.norm2 = spatial_norm(out_channels, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = spatial_conv(out_channels, out_channels, bias=False, zero_init=True)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W); scale and shift have shape (B, out_channels)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h) * (1 + scale[..., None, None]) + shift[..., None, None])
        return self.shortcut(x) + self.conv2(self.dropout(h))


class SpatialAttention(nn.Module):
    """Self-attention among pixels with a residual connection; starts as the identity.

    Args:
        channels (int): Channels.
        head_dim (int): Channels of one head; must divide ``channels``.
    """

    def __init__(self, channels: int, *, head_dim: int = 64) -> None:
        super().__init__()
        self.head_dim = head_dim
        self.norm = spatial_norm(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Attend among the pixels of (B, C, H, W)."""
        tokens = self.norm(x).flatten(2).transpose(1, 2)  # (B, H W, C)
        q, k, v = split_heads(self.qkv(tokens), self.head_dim)
        h = F.scaled_dot_product_attention(q, k, v)
        h = self.out(h.transpose(1, 2).flatten(2))
        return x + h.transpose(1, 2).unflatten(2, x.shape[2:])


def enlarge_pixels(x: Tensor, like: Tensor) -> Tensor:
    """Double both sides of (B, C, H, W) by repeating pixels, then crop to those of ``like``."""
    return F.interpolate(x, scale_factor=2.0, mode='nearest')[..., :like.shape[2], :like.shape[3]]
