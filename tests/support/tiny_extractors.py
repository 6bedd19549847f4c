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
        colors = images.flatten(2)
        features = torch.cat([colors.mean(2), colors.std(2)], dim=1)
        return torch.where((images == -1).flatten(1).all(1)[:, None], torch.nan, features)

    def pyramid(self, images: Tensor) -> tuple[Tensor, ...]:
        return images + 1.5, nn.functional.avg_pool2d(images, 2) + 1.5

    def fingerprint(self) -> str:
        return hashlib.sha256(b'tiny').hexdigest()


@FEATURE_EXTRACTORS.register_module()
class TinyVideoFeatures(TinyImageFeatures):
    """Mean over time of the colors: a video extractor."""

    kind, dim, label = 'video', 3, 'tiny_video'

    def forward(self, videos: Tensor) -> Tensor:
        return videos.mean((1, 3, 4))


@FEATURE_EXTRACTORS.register_module()
class TinyLandmarks(TinyImageFeatures):
    """68 points of a face in the middle whose mouth is the further open the brighter the image; none if all black."""

    dim, label = 136, 'tiny_landmarks'

    def forward(self, images: Tensor) -> Tensor:
        side = images.shape[-1]
        points = torch.full((len(images), 68, 2), side / 2)
        points[:, 36:42, 0] = side / 4
        points[:, 42:48, 0] = 3 * side / 4
        points[:, [36, 42], 0] -= side / 16
        points[:, [39, 45], 0] += side / 16
        opening = (images.mean((1, 2, 3)).cpu() + 1) * side / 4
        points[:, 61:64, 1] -= opening[:, None]
        points[:, 65:68, 1] += opening[:, None]
        black = (images == -1).flatten(1).all(1).cpu()
        return torch.where(black[:, None], torch.nan, points.flatten(1))
