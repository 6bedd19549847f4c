"""Sharpness of images: the fine detail that blur removes."""

from torch import Tensor
from torch.nn import functional


def high_frequency_detail(images: Tensor) -> Tensor:
    """Absolute difference of each pixel from the mean of its 3x3 neighborhood.

    The sharpness of a set of images is the mean of this over that of reference images: 1 is as sharp, below 1 blurred;
    noise raises it as well.

    Args:
        images (Tensor): Shape (B, C, H, W); border pixels are replicated.

    Returns:
        Tensor: Same shape, non-negative.
    """
    means = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), mode='replicate'), 3, 1)
    return (images - means).abs()
