"""Features of the motion of a video alone: changes of an image extractor's features between frames.

A clip that is generated from a real first frame shows the same person in the same room, whatever moves. Features that
describe appearance (frame features, and to a degree those of I3D) are then nearly the same for a frozen image and for
the true video, and with tens of clips their Fréchet distance is sampling noise. Differences remove everything constant:
the features of a frozen image are zero.
"""

from typing import Sequence

import torch
from torch import Tensor

from leokit.feature_extractors.base import FeatureExtractor
from leokit.feature_extractors.video_features import frame_features
from leokit.registry import FEATURE_EXTRACTORS


@FEATURE_EXTRACTORS.register_module()
class FeatureChanges(FeatureExtractor):
    """Video features: mean absolute changes of frame features over several time lags, concatenated.

    Args:
        extractor (dict, optional): Config of an image extractor; default: ``EfficientNetLite0Features``.
        lags (Sequence[int]): Time lags in frames.
    """

    kind = 'video'

    def __init__(self, extractor: dict | None = None, *, lags: Sequence[int] = (1, 4)):
        super().__init__()
        self.frames = FEATURE_EXTRACTORS.build(extractor or dict(type='EfficientNetLite0Features'))
        if self.frames.kind != 'image':
            raise ValueError(f'FeatureChanges needs an image extractor, got {self.frames.label!r}, which describes '
                             'videos')
        if not lags or min(lags) < 1:
            raise ValueError(f'lags must be at least 1, got {tuple(lags)}')
        self.lags = tuple(lags)
        self.dim = len(self.lags) * self.frames.dim
        self.label = f'{self.frames.label}_changes{"-".join(map(str, self.lags))}'
        self.freeze()

    @torch.no_grad()
    def forward(self, videos: Tensor) -> Tensor:
        if videos.shape[1] <= max(self.lags):
            raise ValueError(f'changes over {max(self.lags)} frames need longer videos, got {videos.shape[1]} frames')
        # (B, T, d); float64 makes the float32 result independent of the order of summation
        features = frame_features(self.frames, videos).double()
        changes = [(features[:, lag:] - features[:, :-lag]).abs().mean(1) for lag in self.lags]
        return torch.cat(changes, dim=1).float()

    def fingerprint(self) -> str:
        return self.frames.fingerprint()  # the lags are in the label
