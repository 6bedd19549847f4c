"""Base class of frozen ImageNet classifiers as feature extractors."""

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional as F

from leokit.feature_extractors.base import FeatureExtractor, full_precision
from leokit.utils import check_shape


class ImageBackbone(FeatureExtractor):
    """A network with ``pyramid`` for perceptual losses and pooled features for metrics.

    A subclass calls :meth:`set_normalization` and implements :meth:`stages` and :meth:`head`.

    Args:
        resize (int, optional): Resolution to which images are resized first (bilinear, with anti-aliasing). None keeps
            their size.
    """

    kind = 'image'

    def __init__(self, resize: int | None = None):
        super().__init__()
        if resize is not None and resize < 1:
            raise ValueError(f'resize must be positive or None, got {resize}')
        self.resize = resize

    def set_normalization(self, mean: tuple[float, float, float], std: tuple[float, float, float]) -> None:
        """Set mean and standard deviation of the network's training data, for pixels in [0, 1]."""
        # x01 = (x + 1) / 2, so (x01 - mean) / std = x * scale + shift.
        mean_tensor, std_tensor = torch.tensor(mean), torch.tensor(std)
        self.register_buffer('scale', (0.5 / std_tensor).view(1, 3, 1, 1), persistent=False)
        self.register_buffer('shift', ((0.5 - mean_tensor) / std_tensor).view(1, 3, 1, 1), persistent=False)

    @abstractmethod
    def stages(self, x: Tensor) -> tuple[Tensor, ...]:
        """Feature maps, fine to coarse, of normalized images (B, 3, H, W)."""

    @abstractmethod
    def head(self, x: Tensor) -> Tensor:
        """Map the coarsest stage (B, C, h, w) to the map (B, dim, h, w) that :meth:`forward` averages."""

    def pyramid(self, images: Tensor) -> tuple[Tensor, ...]:
        """Feature maps (B, C, h, w), fine to coarse, of images (B, 3, H, W) in [-1, 1].

        For perceptual losses: it runs under the autocast and gradient mode of the caller.
        """
        check_shape('images', images, (None, 3, None, None))
        if self.resize is not None and images.shape[-2:] != (self.resize, self.resize):
            images = F.interpolate(images, (self.resize, self.resize), mode='bilinear', antialias=True)
        return self.stages(images * self.scale + self.shift)

    def forward(self, images: Tensor) -> Tensor:
        """Features (B, dim) of images (B, 3, H, W) in [-1, 1], averaged over positions, in float32."""
        with full_precision(images.device):
            return self.head(self.pyramid(images.float())[-1]).mean(dim=(2, 3))
