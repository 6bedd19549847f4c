"""Feature extractors small enough for tests, registered under their class names."""

import hashlib

import torch
from torch import Tensor, nn

from leokit.registry import FEATURE_EXTRACTORS


@FEATURE_EXTRACTORS.register_module()
class TinyImageFeatures(nn.Module):
    """Mean and spread of each channel; NaN for frames that are all black, as a detector that finds nothing gives."""

    kind, dim, label = 'image', 6, 'tiny'

    def forward(self, images: Tensor) -> Tensor:
        colours = images.flatten(2)
        features = torch.cat([colours.mean(2), colours.std(2)], dim=1)
        return torch.where((images == -1).flatten(1).all(1)[:, None], torch.nan, features)

    def pyramid(self, images: Tensor) -> tuple[Tensor, ...]:
        return images + 1.5, nn.functional.avg_pool2d(images, 2) + 1.5

    def fingerprint(self) -> str:
        return hashlib.sha256(b'tiny').hexdigest()


@FEATURE_EXTRACTORS.register_module()
class TinyVideoFeatures(TinyImageFeatures):
    """Mean over time of the colours: a video extractor."""

    kind, dim, label = 'video', 3, 'tiny_video'

    def forward(self, videos: Tensor) -> Tensor:
        return videos.mean((1, 3, 4))
