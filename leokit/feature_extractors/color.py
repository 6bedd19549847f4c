"""Color statistics of a frame: the content features of bodies for ACD.

Tulyakov et al., "MoCoGAN", CVPR 2018, compare generated shapes by their average color; standard deviations and
histograms also distinguish clothes and backgrounds.
"""

import hashlib
from typing import Sequence

import torch
from einops import rearrange
from torch import Tensor

from leokit.feature_extractors.base import FeatureExtractor, full_precision
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import check_shape

STATISTICS = ('mean', 'std', 'histogram')


@FEATURE_EXTRACTORS.register_module()
class ColorStatistics(FeatureExtractor):
    """Means, standard deviations and soft histograms of the three color channels.

    Colors are in [0, 1]. The histogram of a channel sums to 1; a value between two bin centers counts for both in
    proportion, so the features change smoothly with the image.

    Args:
        statistics (Sequence[str]): 'mean', 'std', 'histogram', in the order of the features; ``('mean',)`` is the
            average color of MoCoGAN.
        bins (int): Bins of each histogram.
    """

    kind = 'image'

    def __init__(self, statistics: Sequence[str] = STATISTICS, *, bins: int = 16):
        super().__init__()
        chosen = tuple(statistics)
        if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(STATISTICS):
            raise ValueError(f'statistics must be distinct and some of {STATISTICS}, got {chosen}')
        if bins < 2:
            raise ValueError(f'bins must be at least 2, got {bins}')
        self.statistics = chosen
        self.bins = bins
        self.dim = sum(3 * bins if name == 'histogram' else 3 for name in chosen)
        self.label = 'color_' + '_'.join(f'{name}{bins}' if name == 'histogram' else name for name in chosen)

    def forward(self, images: Tensor) -> Tensor:
        """Statistics (B, dim), float32, of images (B, 3, H, W) in [-1, 1]."""
        check_shape('images', images, (None, 3, None, None))
        with full_precision(images.device):
            colors = rearrange((images.float() + 1) / 2, 'b c h w -> b c (h w)')
            return torch.cat([getattr(self, f'_{name}')(colors) for name in self.statistics], dim=1)

    def fingerprint(self) -> str:
        # There are no weights, and the label determines the features.
        return hashlib.sha256(self.label.encode()).hexdigest()

    def _mean(self, colors: Tensor) -> Tensor:
        return colors.mean(dim=2)

    def _std(self, colors: Tensor) -> Tensor:
        return colors.std(dim=2, correction=0)

    def _histogram(self, colors: Tensor) -> Tensor:
        position = colors.clamp(0, 1) * (self.bins - 1)
        # One bin at a time, because all at once would need `bins` copies of the frames.
        counts = [(1 - (position - k).abs()).clamp(min=0).mean(dim=2) for k in range(self.bins)]
        return rearrange(counts, 'k b c -> b (c k)')
