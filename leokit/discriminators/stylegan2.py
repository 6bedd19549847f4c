"""The discriminator of StyleGAN2.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020: the residual network of LIA's encoder
down to 4x4, the minibatch standard deviation of "Progressive Growing of GANs" (ICLR 2018, section 3), one convolution
and two linear layers. Deviation: the group size of the minibatch statistic adapts to batches that it does not divide.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from leokit.nn import (
    BiasActivation, EqualConv2d, EqualLinear, ResidualDownBlock, channels_by_resolution, scaled_leaky_relu)
from leokit.registry import DISCRIMINATORS
from leokit.utils import check_shape

LAST_RESOLUTION = 4
STDDEV_EPS = 1e-8  # as in StyleGAN2; keeps the square root differentiable for constant groups


def stddev_group(batch: int, group_size: int) -> int:
    """Samples per group: the divisor of ``batch`` nearest to ``group_size``, at least 2 if the batch is.

    Of two equally near ones, it is the smaller.
    """
    nearest = batch  # min(..., key=...) would break the compiled graph of torch 2.4
    for divisor in range(batch, 1, -1):
        if batch % divisor == 0 and abs(divisor - group_size) <= abs(nearest - group_size):
            nearest = divisor
    return nearest


def append_minibatch_stddev(x: Tensor, group_size: int) -> Tensor:
    """Append the standard deviation over the samples of a group, averaged over channels and pixels, as a channel.

    Args:
        x (Tensor): Shape (B, C, H, W).
        group_size (int): Samples per group; see :func:`stddev_group` if it does not divide B.

    Returns:
        Tensor: Shape (B, C + 1, H, W).
    """
    batch, _, height, width = x.shape
    group = stddev_group(batch, group_size)
    grouped = x.float().unflatten(0, (group, batch // group))  # (G, B / G, C, H, W)
    stddev = (grouped.var(dim=0, correction=0) + STDDEV_EPS).sqrt().mean(dim=(1, 2, 3))  # (B / G,)
    channel = stddev.repeat(group).to(x.dtype).view(batch, 1, 1, 1).expand(batch, 1, height, width)
    return torch.cat((x, channel), dim=1)


@DISCRIMINATORS.register_module()
class StyleGAN2Discriminator(nn.Module):
    """Residual discriminator with minibatch statistics and equalized learning rates.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        channel_multiplier (float): Factor on the channels of resolutions 64 and above.
        max_channels (int): Upper limit of the channels.
        group_size (int): Samples per group of the minibatch standard deviation.
    """

    def __init__(self, size: int, *, channel_multiplier: float = 1, max_channels: int = 512, group_size: int = 4):
        super().__init__()
        if group_size < 1:
            raise ValueError(f'group_size must be at least 1, got {group_size}')
        self.size = size
        self.group_size = group_size
        channels = channels_by_resolution(size, channel_multiplier, max_channels)
        resolutions = sorted(channels, reverse=True)
        last = channels[LAST_RESOLUTION]
        self.from_rgb = EqualConv2d(3, channels[size], kernel_size=1)
        self.from_rgb_activation = BiasActivation(channels[size])
        self.blocks = nn.Sequential(
            *(ResidualDownBlock(channels[fine], channels[coarse]) for fine, coarse in pairwise(resolutions)))
        self.final_conv = EqualConv2d(last + 1, last, kernel_size=3, padding=1)
        self.final_activation = BiasActivation(last)
        self.final_linear = EqualLinear(last * LAST_RESOLUTION**2, last)
        self.to_logit = EqualLinear(last, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, size, size) in [-1, 1] to logits (B, 1); larger means more realistic."""
        check_shape('images', images, (None, 3, self.size, self.size))
        x = self.blocks(self.from_rgb_activation(self.from_rgb(images)))  # (B, C, 4, 4)
        x = append_minibatch_stddev(x, self.group_size)  # (B, C + 1, 4, 4)
        x = self.final_activation(self.final_conv(x))
        return self.to_logit(scaled_leaky_relu(self.final_linear(x.flatten(1))))
