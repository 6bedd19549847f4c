"""Modulated convolution by scaling activations (StyleGAN2, section 2.2).

StyleGAN2 states modulation as one convolution weight per sample. Scaling the
input channels by the style, sharing the weight, and scaling the output by the
demodulation factor is the same function; the convolution then runs once for the
whole batch instead of once per sample. :func:`modulated_conv2d_reference` is the
per-sample form, kept as the definition and test oracle.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from leokit.nn.equalized import BiasActivation, EqualLinear
from leokit.nn.resample import blur, upfirdn2d_reference

DEMODULATION_EPS = 1e-8  # StyleGAN2


def modulated_conv2d_reference(x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True,
                               upsample: bool = False) -> Tensor:
    """One weight per sample, as the paper writes it.

    Args:
        x (Tensor): Shape (B, C_in, H, W).
        weight (Tensor): Shape (C_out, C_in, k, k), learning-rate factor included.
        style (Tensor): Shape (B, C_in).
        demodulate (bool): Whether output channels are brought back to unit variance.
        upsample (bool): Whether the sides double (transposed convolution, then blur).

    Returns:
        Tensor: Shape (B, C_out, H', W').
    """
    b, c_in, h, w = x.shape
    c_out, _, k, _ = weight.shape
    weights = weight[None] * style[:, None, :, None, None]
    if demodulate:
        weights = weights * torch.rsqrt(weights.square().sum((2, 3, 4), keepdim=True) + DEMODULATION_EPS)
    x = x.reshape(1, b * c_in, h, w)
    if upsample:
        weights = weights.transpose(1, 2).reshape(b * c_in, c_out, k, k)
        x = F.conv_transpose2d(x, weights, stride=2, groups=b)
        x = x.view(b, c_out, *x.shape[2:])
        return upfirdn2d_reference(x, pad=(1, 1), gain=4.0)
    x = F.conv2d(x, weights.reshape(b * c_out, c_in, k, k), padding=k // 2, groups=b)
    return x.view(b, c_out, *x.shape[2:])


class ModulatedConv2d(nn.Module):
    """Modulated, optionally demodulated and upsampling convolution.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        kernel_size (int): Side of the kernel (odd).
        style_dim (int): Width of the latent.
        demodulate (bool): Whether output channels are brought back to unit variance.
        upsample (bool): Whether the sides double.
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
        """Factor of every output channel, shape (B, C_out), in float32.

        Args:
            style (Tensor): Shape (B, C_in), float32.
        """
        with torch.autocast(style.device.type, enabled=False):
            energy = (self.weight.float() * self.scale).square().sum((2, 3))
            return torch.rsqrt(style.square() @ energy.t() + DEMODULATION_EPS)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Convolve with the latent's modulation.

        Args:
            x (Tensor): Shape (B, C_in, H, W).
            latent (Tensor): Shape (B, style_dim).

        Returns:
            Tensor: Shape (B, C_out, H, W), sides doubled if ``upsample``.
        """
        with torch.autocast(latent.device.type, enabled=False):
            style = self.modulation(latent.float())
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
        """The layer's sizes for ``print(module)``."""
        out_channels, in_channels, kernel_size, _ = self.weight.shape
        return (f'{in_channels}, {out_channels}, kernel_size={kernel_size}, demodulate={self.demodulate}, '
                f'upsample={self.upsample}')


class StyledConv(nn.Module):
    """Modulated 3x3 convolution, bias, scaled leaky ReLU.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        style_dim (int): Width of the latent.
        upsample (bool): Whether the sides double.
    """

    def __init__(self, in_channels: int, out_channels: int, *, style_dim: int, upsample: bool = False):
        super().__init__()
        self.conv = ModulatedConv2d(
            in_channels, out_channels, kernel_size=3, style_dim=style_dim, upsample=upsample)
        self.activation = BiasActivation(out_channels)

    def forward(self, x: Tensor, latent: Tensor) -> Tensor:
        """Map (B, C_in, H, W) and a latent (B, style_dim) to (B, C_out, H', W')."""
        return self.activation(self.conv(x, latent))
