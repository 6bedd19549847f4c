"""What is kept of a clip: one small array for each feature that a measure needs.

A reduction turns the per-frame features of an image extractor, or the output of a video extractor, into what is
stored, so that memory grows with the number of clips and not with their pixels.
"""

from typing import Callable, NamedTuple

import torch
from torch import Tensor, nn

from leokit.feature_extractors.video_features import frame_features, temporal_summary, video_dim, video_label
from leokit.metrics.acd import average_content_distance, content_drift, detected_frames
from leokit.metrics.motion_statistics import jitter
from leokit.utils import UserError


class FeatureRequest(NamedTuple):
    """A feature of a clip: which extractor, reduced how."""

    extractor: nn.Module
    reduction: str

    @property
    def key(self) -> str:
        """Name that tells features apart, as in ``clip-i3d``; also part of cache file names."""
        return f'{self.reduction}-{self.label}'

    @property
    def label(self) -> str:
        """Label of the feature network."""
        return video_label(self.extractor) if self.reduction == 'clip' else self.extractor.label

    @property
    def dim(self) -> int:
        """Length of the feature vectors that the reduction looks at."""
        return video_dim(self.extractor) if self.reduction == 'clip' else self.extractor.dim


def _content(features: Tensor) -> Tensor:
    """Content distance and number of frames with a feature, shape (B, 2)."""
    distance = average_content_distance(features)
    return torch.stack([distance.value, distance.detected.double()], dim=1)


def _jitter(features: Tensor) -> Tensor:
    """Mean jitter of a point, NaN unless every frame has points, and the number of frames that have, shape (B, 2).

    The features are points ``x_0, y_0, x_1, y_1, ...``.
    """
    detected = detected_frames(features)
    points = features.nan_to_num().unflatten(2, (-1, 2)).transpose(1, 2)  # (B, K, T, 2)
    steps = jitter(points.flatten(0, 1)).unflatten(0, points.shape[:2]).mean(1)
    values = torch.where(detected.all(1), steps, torch.nan)
    return torch.stack([values, detected.sum(1).double()], dim=1)


# Reductions of per-frame features (B, T, d).
FRAME_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = dict(
    frames=lambda features: features,
    content=_content,
    content_drift=content_drift,
    jitter=_jitter)
REDUCTIONS = ('clip', *FRAME_REDUCTIONS)


@torch.no_grad()
def reduce_clips(requests: list[FeatureRequest], clips: Tensor) -> dict[str, Tensor]:
    """Compute all requested features of a batch; every network sees the batch once.

    Args:
        requests (list[FeatureRequest]): What is asked for.
        clips (Tensor): Shape (B, T, 3, H, W) in [-1, 1].

    Returns:
        dict[str, Tensor]: For each request's key an array whose first dimension is B.

    Raises:
        UserError: If a reduction of frames is asked of a video extractor.
    """
    frames: dict[int, Tensor] = {}
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
