"""Modulated convolution by scaling activations (StyleGAN2, section 2.2).

StyleGAN2 defines modulation by one convolution weight per sample. Scaling the input channels by the style, sharing the
weight, and scaling the output by the demodulation factor is the same function, but the convolution runs once for the
whole batch. :func:`modulated_conv2d_reference` is the per-sample form, the definition that the tests compare with.
"""

import math

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.nn.equalized import BiasActivation, EqualLinear
from leokit.nn.resample import blur, upfirdn2d_reference

DEMODULATION_EPS = 1e-8  # StyleGAN2


def modulated_conv2d_reference(x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True,
                               upsample: bool = False) -> Tensor:
    """Modulated convolution with one weight per sample, as in the paper.

    Args:
        x (Tensor): Shape (B, C_in, H, W).
        weight (Tensor): Shape (C_out, C_in, k, k), learning-rate factor included.
        style (Tensor): Shape (B, C_in).
        demodulate (bool): Scale output channels back to unit variance.
        upsample (bool): Double height and width (transposed convolution, then blur).

    Returns:
        Tensor: Shape (B, C_out, H', W').
    """
    b = x.shape[0]
    weights = weight[None] * style[:, None, :, None, None]  # (B, C_out, C_in, k, k)
    if demodulate:
        weights = weights * torch.rsqrt(weights.square().sum((2, 3, 4), keepdim=True) + DEMODULATION_EPS)
    x = rearrange(x, 'b c h w -> 1 (b c) h w')  # a grouped convolution applies one weight per sample
    if upsample:
        weights = rearrange(weights, 'b out c k1 k2 -> (b c) out k1 k2')
        x = F.conv_transpose2d(x, weights, stride=2, groups=b)
        return upfirdn2d_reference(rearrange(x, '1 (b c) h w -> b c h w', b=b), pad=(1, 1), gain=4.0)
    weights = rearrange(weights, 'b out c k1 k2 -> (b out) c k1 k2')
    x = F.conv2d(x, weights, padding=weight.shape[-1] // 2, groups=b)
    return rearrange(x, '1 (b c) h w -> b c h w', b=b)


class ModulatedConv2d(nn.Module):
    """Modulated, optionally demodulated and upsampling convolution.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        kernel_size (int): Size of the kernel (odd).
        style_dim (int): Width of the latent.
        demodulate (bool): Scale output channels back to unit variance.
        upsample (bool): Double height and width.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int, style_dim: int,
                 demodulate: bool = True, upsample: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.modulation = EqualLinear(style_dim, in_channels, bias_init=1.0)
        self.scale = 1 / math.sqrt(in_channels * kernel_size**2)
        self.demodulate = demodulate
        self.upsample = upsample

    def demodulation(self, style: Tensor) -> Tensor:
        """Demodulation factors (B, C_out) of styles (B, C_in), float32."""
        with torch.autocast(style.device.type, enabled=False):
            energy = (self.weight.float() * self.scale).square().sum((2, 3))
            return torch.rsqrt(style.square() @ energy.t() + DEMODULATION_EPS)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (B, C_in, H, W) and a latent (B, style_dim) to (B, C_out, H, W), twice the size if ``upsample``."""
        with torch.autocast(latent.device.type, enabled=False):
            style = self.modulation(latent.float())  # (B, C_in)
        # modulate
        x = x * style[:, :, None, None].to(x.dtype)
        weight = self.weight * self.scale
        # convolve
        if self.upsample:
            x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = blur(x, (1, 1), gain=4.0)
        else:
            x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        # demodulate
        return x * self.demodulation(style)[:, :, None, None].to(x.dtype) if self.demodulate else x

    def extra_repr(self) -> str:
        out_channels, in_channels, kernel_size, _ = self.weight.shape
        return (f'{in_channels}, {out_channels}, kernel_size={kernel_size}, demodulate={self.demodulate}, '
                f'upsample={self.upsample}')


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, bias, scaled leaky ReLU.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        style_dim (int): Width of the latent.
        upsample (bool): Double height and width.
    """

    def __init__(self, in_channels: int, out_channels: int, *, style_dim: int, upsample: bool = False):
        super().__init__()
        self.conv = ModulatedConv2d(
            in_channels, out_channels, kernel_size=3, style_dim=style_dim, upsample=upsample)
        self.activation = BiasActivation(out_channels)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (B, C_in, H, W) and a latent (B, style_dim) to (B, C_out, H', W')."""
        return self.activation(self.conv(x, latent))
