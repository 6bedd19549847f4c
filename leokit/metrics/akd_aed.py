"""Animation accuracy: AKD (average keypoint distance) and AED (average identity distance).

As introduced for Monkey-Net and the first-order motion model (Siarohin et al., 2019): the same detector runs on the
generated and on the true frame; AKD is the distance of the landmarks, AED that of the identity embeddings. A detector
that fails on a generated frame is itself a finding, so the rates travel with the values: a score over the frames that
still had a face says nothing about those that lost it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.metrics.acd import detected_frames
from leokit.utils import check_shape


class DetectionScore(NamedTuple):
    """A distance over the pairs where both detections exist, and how many do not."""

    values: Tensor  # (B,) float64; NaN where one of the two is missing
    missing: Tensor  # (B,) boolean: found in the target, not in the prediction
    undetected: Tensor  # (B,) boolean: not found in the target, so nothing to compare with

    @property
    def value(self) -> float:
        """Mean over the pairs that count; NaN when there is none."""
        return float(self.values.nanmean())

    @property
    def missing_rate(self) -> float:
        """Of the targets with a detection, the share whose prediction lost it; NaN when no target has one."""
        detectable = (~self.undetected).sum()
        return float(self.missing.sum() / detectable) if detectable else float('nan')


def average_keypoint_distance(prediction: Tensor, target: Tensor) -> DetectionScore:
    """Mean Euclidean distance of corresponding keypoints, in the unit of the coordinates.

    Args:
        prediction (Tensor): Keypoints of generated frames, shape (B, K, 2); NaN where none were found.
        target (Tensor): Keypoints of true frames, same shape.

    Returns:
        DetectionScore: The distances and the missing-detection rates.

    Raises:
        ValueError: If the shapes differ.
    """
    check_shape('prediction', prediction, (None, None, 2))
    check_shape('target', target, tuple(prediction.shape))
    distances = (prediction.detach().double() - target.detach().double()).square().sum(-1).sqrt().mean(-1)
    return _score(distances, detected_frames(prediction.flatten(1)), detected_frames(target.flatten(1)))


def average_identity_distance(prediction: Tensor, target: Tensor) -> DetectionScore:
    """Euclidean distance of identity embeddings.

    Args:
        prediction (Tensor): Embeddings of generated frames, shape (B, d); NaN where no face was found.
        target (Tensor): Embeddings of true frames, same shape.

    Returns:
        DetectionScore: The distances and the missing-detection rates.

    Raises:
        ValueError: If the shapes differ.
    """
    check_shape('prediction', prediction, (None, None))
    check_shape('target', target, tuple(prediction.shape))
    distances = (prediction.detach().double() - target.detach().double()).square().sum(-1).sqrt()
    return _score(distances, detected_frames(prediction), detected_frames(target))


def _score(distances: Tensor, found: Tensor, expected: Tensor) -> DetectionScore:
    values = torch.where(found & expected, distances, torch.nan)
    return DetectionScore(values, expected & ~found, ~expected)
