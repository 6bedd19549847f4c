"""An animator that starts as the identity: its first output is the source image, exactly.

An activation separates encoder and color head, leaky ReLU on either side, and still colors can pass: with
f(v) = sqrt(2) * leaky_relu(v) of slope s = 0.2, and m the mask that the warped feature is multiplied by,

    f(-(1 / (2 s m)) * m * f(-x)) = x    for every x,

because f(-x) is s * sqrt(2) times -x where x is positive, and sqrt(2) times -x where it is negative, and the outer f
undoes the difference. So three channels hold the negated colors, and the color head of the finest side reads those
alone. What the loss then sees is the error of copying the source, and the first thing that can lessen it is motion.
"""

import torch

from leokit.nn.equalized import ACTIVATION_GAIN, EqualConv2d, LEAKY_SLOPE

INITIALIZATIONS = ('identity', 'reference')
COLORS = 3


def check_initialization(init: str) -> None:
    """Refuse an unknown name.

    Args:
        init (str): ``'identity'`` or ``'reference'``.

    Raises:
        ValueError: If it is neither.
    """
    if init not in INITIALIZATIONS:
        raise ValueError(f'init must be one of {INITIALIZATIONS}, got {init!r}')


@torch.no_grad()
def init_from_rgb_identity(from_rgb: EqualConv2d) -> None:
    """Make the first three output channels of a 1x1 convolution of images the negated colors.

    Args:
        from_rgb (EqualConv2d): Three channels in, at least three out; an activation follows.
    """
    from_rgb.weight[:COLORS] = 0
    for channel in range(COLORS):
        from_rgb.weight[channel, channel] = -1 / from_rgb.scale


@torch.no_grad()
def init_to_rgb_identity(to_rgb: EqualConv2d, mask: float) -> None:
    """Make a 1x1 convolution to colors read what :func:`init_from_rgb_identity` wrote, and nothing else.

    Args:
        to_rgb (EqualConv2d): At least three channels in, three out; an activation follows.
        mask (float): What the feature is multiplied by on its way, in (0, 1].
    """
    to_rgb.weight.zero_()
    for channel in range(COLORS):
        to_rgb.weight[channel, channel] = -1 / (ACTIVATION_GAIN**2 * LEAKY_SLOPE * mask * to_rgb.scale)
