"""Identity initialization: the first output of an untrained animator is exactly the source image.

RGB values can pass through both activations, that of the encoder and that of the to-RGB layer. With
f(v) = sqrt(2) * leaky_relu(v) of slope s = 0.2, and m the mask that the warped feature is multiplied by,

    f(-(1 / (2 s m)) * m * f(-x)) = x    for every x,

because f(-x) is s * sqrt(2) times -x for positive x and sqrt(2) times -x for negative x, and the outer f reverses this.
Three channels of the finest feature map hold the negated RGB values, and the to-RGB layer of the finest resolution
reads only these. The initial loss is the error of copying the source, and motion is the first way to reduce it.
"""

import torch

from leokit.nn.equalized import ACTIVATION_GAIN, EqualConv2d, LEAKY_SLOPE

INITIALIZATIONS = ('identity', 'reference')
RGB = 3


def check_initialization(init: str) -> None:
    """Raise ValueError unless ``init`` is ``'identity'`` or ``'reference'``."""
    if init not in INITIALIZATIONS:
        raise ValueError(f'init must be one of {INITIALIZATIONS}, got {init!r}')


@torch.no_grad()
def init_from_rgb_identity(from_rgb: EqualConv2d) -> None:
    """Initialize a 1x1 convolution of images so that its first three output channels are the negated RGB values.

    Args:
        from_rgb (EqualConv2d): Three input channels, at least three output channels; an activation follows.
    """
    from_rgb.weight[:RGB] = 0
    for channel in range(RGB):
        from_rgb.weight[channel, channel] = -1 / from_rgb.scale


@torch.no_grad()
def init_to_rgb_identity(to_rgb: EqualConv2d, mask: float) -> None:
    """Initialize a 1x1 convolution to RGB so that it inverts :func:`init_from_rgb_identity`.

    Args:
        to_rgb (EqualConv2d): At least three input channels, three output channels; an activation follows.
        mask (float): The value in (0, 1] that the feature map is multiplied by in between.
    """
    to_rgb.weight.zero_()
    for channel in range(RGB):
        to_rgb.weight[channel, channel] = -1 / (ACTIVATION_GAIN**2 * LEAKY_SLOPE * mask * to_rgb.scale)
