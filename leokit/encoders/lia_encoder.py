"""The encoder of LIA (Latent Image Animator, ICLR 2022): image to appearance, motion code and feature pyramid.

A StyleGAN2 residual network down to 4x4, a 4x4 valid convolution to the appearance vector, and five linear layers
without activations in between to the motion code. Reproduces the encoder of the public implementation.

Initialization: with ``'identity'`` (default) the first three channels of the finest feature map carry the RGB values of
the image, which ``LIAFlowGenerator`` with the same initialization reads; all other weights are random, as in StyleGAN2.
With ``'reference'`` all of them are.
"""

from itertools import pairwise

from torch import nn

from leokit.encoders.base import PyramidEncoder
from leokit.nn import (
    BiasActivation, EqualConv2d, EqualLinear, ResidualDownBlock, channels_by_resolution, check_initialization,
    init_from_rgb_identity)
from leokit.registry import ENCODERS

MOTION_HEAD_LAYERS = 5


@ENCODERS.register_module()
class LIAEncoder(PyramidEncoder):
    """LIA's encoder.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        appearance_dim (int): Dimension D of the appearance vector.
        motion_dim (int): Dimension N of the motion code.
        channel_multiplier (float): Factor on the channels of resolutions 64 and above.
        max_channels (int): Upper limit of the channels.
        init (str): ``'identity'`` or ``'reference'``, see the module docstring.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, motion_dim: int = 20, channel_multiplier: float = 1,
                 max_channels: int = 512, init: str = 'identity'):
        super().__init__()
        check_initialization(init)
        self.size = size
        channels = channels_by_resolution(size, channel_multiplier, max_channels)
        resolutions = sorted(channels, reverse=True)
        self.from_rgb = EqualConv2d(3, channels[size], kernel_size=1)
        self.activation = BiasActivation(channels[size])
        self.blocks = nn.ModuleList(
            ResidualDownBlock(channels[fine], channels[coarse]) for fine, coarse in pairwise(resolutions))
        self.to_appearance = EqualConv2d(channels[4], appearance_dim, kernel_size=4)
        widths = [appearance_dim] * MOTION_HEAD_LAYERS + [motion_dim]
        self.motion_head = nn.Sequential(*(EqualLinear(a, b) for a, b in zip(widths, widths[1:])))
        if init == 'identity':
            init_from_rgb_identity(self.from_rgb)
