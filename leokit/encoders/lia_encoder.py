"""The encoder of LIA (Latent Image Animator, ICLR 2022): image to appearance, motion code and feature pyramid.

A StyleGAN2 residual network down to 4x4, a 4x4 valid convolution to the
appearance vector, and five linear layers with no activation between them to the
motion code. Reproduces the public implementation's encoder.

Initialization: ``'identity'`` (default) lets the colors of the image pass through the
first three channels of the finest feature, from where ``LIAFlowGenerator`` with the same
initialization takes its first picture; every other weight is drawn as in StyleGAN2.
``'reference'`` draws all of them.
"""

from torch import Tensor, nn

from leokit.encoders.base import Encoding
from leokit.nn import (
    BiasActivation, EqualConv2d, EqualLinear, ResidualDownBlock, channels_by_resolution, check_initialization,
    init_from_rgb_identity)
from leokit.registry import ENCODERS
from leokit.utils import check_shape

MOTION_HEAD_LAYERS = 5


@ENCODERS.register_module()
class LIAEncoder(nn.Module):
    """Image to :class:`Encoding`.

    Args:
        size (int): Image side, a power of two from 32 to 1024.
        appearance_dim (int): Width D of the appearance vector.
        motion_dim (int): Width N of the motion code.
        channel_multiplier (float): Factor on the channels of sides 64 and up.
        max_channels (int): Upper limit of the channels of any side.
        init (str): ``'identity'`` or ``'reference'``, see the module's head.
    """

    def __init__(self, size: int, appearance_dim: int = 512, *, motion_dim: int = 20, channel_multiplier: float = 1,
                 max_channels: int = 512, init: str = 'identity'):
        super().__init__()
        check_initialization(init)
        self.size = size
        channels = channels_by_resolution(size, channel_multiplier, max_channels)
        sides = sorted(channels, reverse=True)
        self.from_rgb = EqualConv2d(3, channels[size], kernel_size=1)
        self.activation = BiasActivation(channels[size])
        self.blocks = nn.ModuleList(
            ResidualDownBlock(channels[side], channels[half]) for side, half in zip(sides, sides[1:]))
        self.to_appearance = EqualConv2d(channels[4], appearance_dim, kernel_size=4)
        widths = [appearance_dim] * MOTION_HEAD_LAYERS + [motion_dim]
        self.motion_head = nn.Sequential(*(EqualLinear(a, b) for a, b in zip(widths, widths[1:])))
        if init == 'identity':
            init_from_rgb_identity(self.from_rgb)

    def forward(self, images: Tensor) -> Encoding:
        """Encode images.

        Args:
            images (Tensor): Shape (B, 3, size, size) in [-1, 1].

        Returns:
            Encoding: Appearance (B, D), motion (B, N), features of sides 8 to size.

        Raises:
            ValueError: If the images have another shape.
        """
        check_shape('images', images, (None, 3, self.size, self.size))
        x = self.activation(self.from_rgb(images))
        features = [x]
        for block in self.blocks:
            x = block(x)
            features.append(x)
        appearance = self.to_appearance(x).flatten(1)
        # features[-1] has side 4: it is summed up by the appearance vector and never warped
        return Encoding(appearance, self.motion_head(appearance), tuple(reversed(features[:-1])))
