"""An image U-Net: the denoiser of starting frames, given their motion code (LEO, arXiv 2305.03989, section 3.3).

The condition sets the scale and shift of every block (FiLM, arXiv 1709.07871). For super-resolution, the upsampled
low-resolution image is given as extra channels (SR3, arXiv 2104.07636).

:class:`UNet2D` is the network, the other classes are its layers over images (B, C, H, W); channels_last is the fast
memory format. Levels, skip connections and conditioning are in ``unet.py``.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from leokit.diffusion_backbones.unet import UNet, UNetLayers
from leokit.registry import DIFFUSION_BACKBONES
from leokit.utils import check_shape
from leokit.utils.batch_random import BatchDropout


@DIFFUSION_BACKBONES.register_module()
class UNet2D(UNet):
    """Image U-Net; its output is zero at initialization.

    Args:
        image_channels (int): Channels C of the image.
        channels (Sequence[int]): Width of each level, fine to coarse; every level halves height and width.
        cond_dim (int): Width of the condition vector, such as a motion code; 0 for none.
        extra_channels (int): Channels of a second image that is concatenated to the noisy one; 0 for none.
        num_blocks, attention_levels, embedding_dim, head_dim, dropout: See :class:`UNet1D`.
    """

    def __init__(self, image_channels: int = 3, channels: Sequence[int] = (128, 192, 256, 384), *, num_blocks: int = 2,
                 attention_levels: Sequence[int] = (2, 3), embedding_dim: int = 512, cond_dim: int = 0,
                 extra_channels: int = 0, head_dim: int = 64, dropout: float = 0.0) -> None:
        layers = UNetLayers(conv=spatial_conv, norm=spatial_norm, block=SpatialBlock, attention=SpatialAttention,
                            upsample=upsample_pixels, channel_axis=1)
        super().__init__(image_channels + extra_channels, image_channels, layers=layers, channels=channels,
                         num_blocks=num_blocks, attention_levels=attention_levels, embedding_dim=embedding_dim,
                         cond_dim=cond_dim, head_dim=head_dim, dropout=dropout)
        self.image_channels = image_channels
        self.extra_channels = extra_channels

    def forward(self, x: Tensor, t: Tensor, cond: Tensor | None = None, *, extra: Tensor | None = None) -> Tensor:
        """Predict from noisy images.

        Args:
            x (Tensor): Noisy images of any size, shape (B, C, H, W).
            t (Tensor): Diffusion time, shape (B,).
            cond (Tensor, optional): Condition vector, shape (B, cond_dim).
            extra (Tensor, optional): Second images, shape (B, extra_channels, H, W).

        Returns:
            Tensor: Prediction, shape (B, C, H, W).
        """
        check_shape('x', x, (None, self.image_channels, None, None))
        if (extra is None) != (self.extra_channels == 0):
            raise ValueError('extra must be given if and only if the network was built with extra_channels > 0')
        if extra is not None:
            check_shape('extra', extra, (x.shape[0], self.extra_channels, *x.shape[2:]))
            x = torch.cat([x, extra], dim=1)  # (B, C + extra_channels, H, W)
        return self.denoise(x, t, cond)


def spatial_conv(in_channels: int, out_channels: int, *, stride: int = 1, bias: bool = True,
                 zero_init: bool = False) -> nn.Conv2d:
    """3x3 convolution, padded with zeros: (B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=bias)
    if zero_init:
        nn.init.zeros_(conv.weight)
    if bias:
        nn.init.zeros_(conv.bias)
    return conv


def spatial_norm(channels: int, *, affine: bool = True) -> nn.GroupNorm:
    """Group normalization with 32 groups, or the greatest common divisor of 32 and the channels."""
    return nn.GroupNorm(math.gcd(32, channels), channels, affine=affine)


class SpatialBlock(nn.Module):
    """Norm, SiLU, conv, norm with scale and shift, SiLU, conv, plus a shortcut; initially equal to the shortcut.

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
        self.dropout = BatchDropout(dropout)
        self.conv2 = spatial_conv(out_channels, out_channels, bias=False, zero_init=True)
        self.shortcut = (
            nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W); scale and shift have shape (B, out_channels)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = F.silu(self.norm2(h) * (1 + scale[..., None, None]) + shift[..., None, None])
        return self.shortcut(x) + self.conv2(self.dropout(h))


class SpatialAttention(nn.Module):
    """Self-attention among pixels with a residual connection; initialized as the identity.

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
        tokens = rearrange(self.norm(x), 'b c h w -> b (h w) c')
        q, k, v = rearrange(self.qkv(tokens), 'b n (qkv heads d) -> qkv b heads n d', qkv=3, d=self.head_dim)
        attended = rearrange(F.scaled_dot_product_attention(q, k, v), 'b heads n d -> b n (heads d)')
        return x + rearrange(self.out(attended), 'b n c -> b c n').unflatten(2, x.shape[2:])


def upsample_pixels(x: Tensor, like: Tensor) -> Tensor:
    """Repeat every row and column of (B, C, H, W), then crop to the size of ``like``."""
    return F.interpolate(x, scale_factor=2.0, mode='nearest')[..., :like.shape[2], :like.shape[3]]
