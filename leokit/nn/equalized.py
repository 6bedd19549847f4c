"""Layers with equalized learning rate (Karras et al., Progressive GAN, section 4.1).

Weights are initialized from N(0, 1) and scaled by 1 / sqrt(fan_in) in every forward pass, so that Adam changes all of
them at the same relative rate.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAKY_SLOPE = 0.2
ACTIVATION_GAIN = math.sqrt(2)  # preserves the variance (StyleGAN2)


def scaled_leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2 times sqrt(2) (StyleGAN2)."""
    return F.leaky_relu(x, LEAKY_SLOPE) * ACTIVATION_GAIN


class BiasActivation(nn.Module):
    """Channel bias followed by :func:`scaled_leaky_relu`.

    Args:
        channels (int): Channels of the input (B, C, H, W).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return scaled_leaky_relu(x + self.bias.to(x.dtype).view(1, -1, 1, 1))


class EqualConv2d(nn.Module):
    """2D convolution with equalized learning rate.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        kernel_size (int): Size of the kernel.
        stride (int): Stride.
        padding (int): Zero padding.
        bias (bool): Learn a bias; not needed before :class:`BiasActivation`.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int, stride: int = 1, padding: int = 0,
                 bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.scale = 1 / math.sqrt(in_channels * kernel_size**2)
        self.stride = stride
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H', W')."""
        return F.conv2d(x, self.weight * self.scale, self.bias, stride=self.stride, padding=self.padding)

    def extra_repr(self) -> str:
        out_channels, in_channels, kernel_size, _ = self.weight.shape
        return f'{in_channels}, {out_channels}, kernel_size={kernel_size}, stride={self.stride}'


class EqualLinear(nn.Module):
    """Linear layer with equalized learning rate.

    Args:
        in_features (int): Input features.
        out_features (int): Output features.
        bias_init (float): Initial bias.
    """

    def __init__(self, in_features: int, out_features: int, *, bias_init: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.full((out_features,), float(bias_init)))
        self.scale = 1 / math.sqrt(in_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        return F.linear(x, self.weight * self.scale, self.bias)

    def extra_repr(self) -> str:
        return f'{self.weight.shape[1]}, {self.weight.shape[0]}'
