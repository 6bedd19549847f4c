"""Only the motion of a video: how an image extractor's features change from frame to frame.

A clip that is generated from a real first frame shows the same person in the same room, whatever moves. Features that
also say who is seen (frame features, and I3D's to a degree) then are nearly the same for a frozen picture and for the
true video, and with tens of clips a Fréchet distance of them is sampling noise. Here all that stays cancels out: a
frozen picture is the zero vector.
"""

from typing import Sequence

import torch
from torch import Tensor

from leokit.feature_extractors.base import FeatureExtractor
from leokit.feature_extractors.video_features import frame_features
from leokit.registry import FEATURE_EXTRACTORS


@FEATURE_EXTRACTORS.register_module()
class FeatureChanges(FeatureExtractor):
    """Mean absolute changes of frame features over some distances in time: a video extractor.

    Args:
        extractor (dict, optional): Config of an image extractor; ``EfficientNetLite0Features`` by default.
        lags (Sequence[int]): Distances in frames. The features of each follow each other.

    Raises:
        ValueError: If the extractor describes videos or a lag is below 1.
    """

    kind = 'video'

    def __init__(self, extractor: dict | None = None, *, lags: Sequence[int] = (1, 4)):
        super().__init__()
        self.frames = FEATURE_EXTRACTORS.build(extractor or dict(type='EfficientNetLite0Features'))
        if self.frames.kind != 'image':
            raise ValueError(f'FeatureChanges needs an image extractor, got {self.frames.label!r}, which describes '
                             'videos')
        if not lags or min(lags) < 1:
            raise ValueError(f'lags must be whole numbers from 1, got {tuple(lags)}')
        self.lags = tuple(lags)
        self.dim = len(self.lags) * self.frames.dim
        self.label = f'{self.frames.label}_changes{"-".join(map(str, self.lags))}'
        self.freeze()

    @torch.no_grad()
    def forward(self, videos: Tensor) -> Tensor:
        """Changes (B, dim) of the features of videos (B, T, 3, H, W) in [-1, 1].

        Raises:
            ValueError: If the videos are not longer than the greatest lag.
        """
        if videos.shape[1] <= max(self.lags):
            raise ValueError(f'changes over {max(self.lags)} frames need longer videos, got {videos.shape[1]} frames')
        features = frame_features(self.frames, videos).double()  # the order of summation must not show
        changes = [(features[:, lag:] - features[:, :-lag]).abs().mean(1) for lag in self.lags]
        return torch.cat(changes, dim=1).float()

    def fingerprint(self) -> str:
        """That of the image extractor; the lags are in the label."""
        return self.frames.fingerprint()
