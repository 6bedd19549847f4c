"""The downsampling residual block of StyleGAN2, shared by encoder and discriminator."""

import math

from torch import Tensor, nn

from leokit.nn.equalized import BiasActivation, EqualConv2d
from leokit.nn.resample import blur


class ResidualDownBlock(nn.Module):
    """Two 3x3 convolutions and a 1x1 shortcut; halves height and width.

    Args:
        in_channels (int): Input channels.
        out_channels (int): Output channels.
        hidden_channels (int, optional): Channels between the two convolutions; ``in_channels`` by default.
    """

    def __init__(self, in_channels: int, out_channels: int, *, hidden_channels: int | None = None):
        super().__init__()
        hidden = in_channels if hidden_channels is None else hidden_channels
        self.conv1 = EqualConv2d(in_channels, hidden, kernel_size=3, padding=1)
        self.activation1 = BiasActivation(hidden)
        self.conv2 = EqualConv2d(hidden, out_channels, kernel_size=3, stride=2)
        self.activation2 = BiasActivation(out_channels)
        self.skip = EqualConv2d(in_channels, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C_in, H, W) to (B, C_out, H/2, W/2)."""
        # the 1x1 convolution of the shortcut has stride 2, so only every second blurred sample is needed
        shortcut = self.skip(blur(x, (1, 1), stride=2))
        x = self.activation1(self.conv1(x))
        x = self.activation2(self.conv2(blur(x, (2, 2))))
        return (x + shortcut) * (1 / math.sqrt(2))
