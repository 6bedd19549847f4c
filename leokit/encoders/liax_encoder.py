"""The encoder of LIA-X (arXiv 2508.09959): LIA's, wider, with one linear layer to the motion code.

Differences from ``LIAEncoder``: the channels of all resolutions are scaled; the first convolution of a residual block
changes the channels; the motion code is a linear function of the appearance vector.
"""

from itertools import pairwise

from torch import nn

from leokit.encoders.base import PyramidEncoder
from leokit.nn import BiasActivation, EqualConv2d, EqualLinear, ResidualDownBlock, channels_by_resolution
from leokit.nn.channels import SMALLEST_RESOLUTION
from leokit.registry import ENCODERS


@ENCODERS.register_module()
class LIAXEncoder(PyramidEncoder):
    """LIA-X's encoder.

    At the paper's scale s the widths are ``channel_multiplier=2s``, ``max_channels=appearance_dim=512s``.

    Args:
        size (int): Image resolution, a power of two from 32 to 1024.
        appearance_dim (int): Dimension D of the appearance vector.
        motion_dim (int): Dimension N of the motion code.
        channel_multiplier (float): Factor on the channels of all resolutions.
        max_channels (int): Upper limit of the channels.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, motion_dim: int = 40, channel_multiplier: float = 2,
                 max_channels: int = 512):
        super().__init__()
        self.size = size
        channels = channels_by_resolution(size, channel_multiplier, max_channels, first_scaled=SMALLEST_RESOLUTION)
        resolutions = sorted(channels, reverse=True)
        self.from_rgb = EqualConv2d(3, channels[size], kernel_size=1)
        self.activation = BiasActivation(channels[size])
        self.blocks = nn.ModuleList(
            ResidualDownBlock(channels[fine], channels[coarse], hidden_channels=channels[coarse])
            for fine, coarse in pairwise(resolutions))
        self.to_appearance = EqualConv2d(channels[SMALLEST_RESOLUTION], appearance_dim, kernel_size=SMALLEST_RESOLUTION)
        self.motion_head = EqualLinear(appearance_dim, motion_dim)
