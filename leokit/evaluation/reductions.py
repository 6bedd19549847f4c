"""The part of a clip's features that is kept: one small array for each feature that a metric needs.

A reduction maps the output of an extractor to this array, so that memory grows with the number of clips and not with
the number of frames.
"""

from typing import Callable, NamedTuple

import torch
from einops import rearrange
from torch import Tensor, nn

from leokit.feature_extractors.video_features import frame_features, temporal_summary, video_dim, video_label
from leokit.metrics.acd import average_content_distance, content_drift, detected_frames
from leokit.metrics.motion_statistics import jitter
from leokit.utils import UserError


class FeatureRequest(NamedTuple):
    """A feature of a clip: an extractor and the reduction of its output.

    The reduction is 'clip' (one vector per clip, see :mod:`leokit.feature_extractors.video_features`) or a key of
    ``FRAME_REDUCTIONS``.
    """

    extractor: nn.Module
    reduction: str

    @property
    def key(self) -> str:
        """Name of the feature, as in ``clip-i3d``; part of the names of cache files."""
        return f'{self.reduction}-{self.label}'

    @property
    def label(self) -> str:
        """Label of the feature network."""
        return video_label(self.extractor) if self.reduction == 'clip' else self.extractor.label

    @property
    def dim(self) -> int:
        """Length of the feature vectors that are reduced."""
        return video_dim(self.extractor) if self.reduction == 'clip' else self.extractor.dim


def _content(features: Tensor) -> Tensor:
    """Average content distance and number of frames with a feature, shape (B, 2)."""
    distance = average_content_distance(features)
    return torch.stack([distance.value, distance.detected], dim=1)


def _jitter(features: Tensor) -> Tensor:
    """Mean jitter of the points ``x_0, y_0, x_1, ...`` and number of frames with points, shape (B, 2).

    The jitter is NaN unless every frame has points.
    """
    detected = detected_frames(features)
    points = rearrange(features, 'b t (k c) -> (b k) t c', c=2)
    steps = rearrange(jitter(points), '(b k) -> b k', b=len(features)).mean(1)
    values = torch.where(detected.all(1), steps, torch.nan)
    return torch.stack([values, detected.sum(1)], dim=1)


# Reductions of per-frame features (B, T, d).
FRAME_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = dict(
    frames=lambda features: features,
    content=_content,
    content_drift=content_drift,
    jitter=_jitter)


@torch.no_grad()
def reduce_clips(requests: list[FeatureRequest], clips: Tensor) -> dict[str, Tensor]:
    """Compute the requested features of a batch; every network runs once.

    Args:
        requests (list[FeatureRequest]): The features.
        clips (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        dict[str, Tensor]: For the key of each request an array whose first dimension is B.
    """
    frames: dict[int, Tensor] = {}  # per-frame features by extractor
    results = {}
    for request in requests:
        extractor = request.extractor
        if extractor.kind == 'image' and id(extractor) not in frames:
            frames[id(extractor)] = frame_features(extractor, clips)
        if request.reduction == 'clip':
            results[request.key] = (extractor(clips).float() if extractor.kind == 'video'
                                    else temporal_summary(frames[id(extractor)]))
        elif extractor.kind == 'image':
            results[request.key] = FRAME_REDUCTIONS[request.reduction](frames[id(extractor)])
        else:
            raise UserError(f'{extractor.label} describes whole clips, but this metric needs a feature of every '
                            'frame; choose an image extractor such as EfficientNetLite0Features')
    return results
