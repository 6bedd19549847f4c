"""Accuracy of animation: AKD (average keypoint distance) and AED (average identity distance).

The same detector runs on the generated and on the true frame. AKD is the mean distance of the landmarks, AED the
distance of the identity embeddings (Siarohin et al., "Animating Arbitrary Objects via Deep Motion Transfer" and "First
Order Motion Model", 2019). A detector that fails on a generated frame is itself a result, so the rates are reported
with the values: a mean over the frames that still show a face ignores those that lost it.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor

from leokit.metrics.acd import detected_frames
from leokit.utils import check_shape


class DetectionScore(NamedTuple):
    """A distance over the pairs with both detections, and the pairs without."""

    values: Tensor  # (B,) float64; NaN if one of the two is missing
    missing: Tensor  # (B,) boolean: detected in the target, not in the prediction
    undetected: Tensor  # (B,) boolean: not detected in the target, so there is nothing to compare with

    @property
    def value(self) -> float:
        """Mean over the pairs with both detections; NaN if there are none."""
        return float(self.values.nanmean())

    @property
    def missing_rate(self) -> float:
        """Share of the targets with a detection whose prediction has none; NaN if no target has one."""
        detectable = (~self.undetected).sum()
        return float(self.missing.sum() / detectable) if detectable else float('nan')


def average_keypoint_distance(prediction: Tensor, target: Tensor) -> DetectionScore:
    """Mean Euclidean distance of corresponding keypoints, in the unit of the coordinates.

    Args:
        prediction (Tensor): Keypoints of generated frames, shape (B, K, 2); NaN where nothing was detected.
        target (Tensor): Keypoints of true frames, same shape.
    """
    check_shape('prediction', prediction, (None, None, 2))
    check_shape('target', target, tuple(prediction.shape))
    distances = (prediction.detach().double() - target.detach()).square().sum(2).sqrt().mean(1)
    return _score(distances, *(detected_frames(rearrange(points, 'b k c -> b (k c)'))
                               for points in (prediction, target)))


def average_identity_distance(prediction: Tensor, target: Tensor) -> DetectionScore:
    """Euclidean distance of identity embeddings.

    Args:
        prediction (Tensor): Embeddings of generated frames, shape (B, d); NaN where no face was detected.
        target (Tensor): Embeddings of true frames, same shape.
    """
    check_shape('prediction', prediction, (None, None))
    check_shape('target', target, tuple(prediction.shape))
    distances = (prediction.detach().double() - target.detach()).square().sum(1).sqrt()
    return _score(distances, detected_frames(prediction), detected_frames(target))


def _score(distances: Tensor, detected: Tensor, expected: Tensor) -> DetectionScore:
    values = torch.where(detected & expected, distances, torch.nan)
    return DetectionScore(values, expected & ~detected, ~expected)
