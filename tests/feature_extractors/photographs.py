"""Real photographs that installed packages ship."""

import torch
from skimage import data
from torch.nn import functional as F

from leokit.utils.pixels import from_uint8


def photograph(name, size=224):
    """The central square of a photograph of scikit-image: (1, 3, size, size) in [-1, 1]."""
    pixels = from_uint8(torch.from_numpy(getattr(data, name)())).permute(2, 0, 1)[None]
    height, width = pixels.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[:, :, top:top + side, left:left + side]
    return F.interpolate(square, (size, size), mode='bilinear', antialias=True)


def astronaut_face():
    """The face of the astronaut with its surroundings: (1, 3, 256, 256) in [-1, 1]."""
    return from_uint8(torch.from_numpy(data.astronaut())).permute(2, 0, 1)[None, :, :256, 100:356].contiguous()
