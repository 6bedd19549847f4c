"""Disentanglement of identity and motion on a factor grid: every identity in every motion.

Identity features must depend on the identity alone, so they must hardly change between motions. Motion codes encoded
from the rendered frames must depend on the motion alone, so they must agree with the target codes for every identity.
"""

from typing import NamedTuple

import torch
from einops import rearrange
from torch import Tensor

from leokit.metrics.acd import detected_frames
from leokit.utils import check_shape


class BetweenWithinDistances(NamedTuple):
    """Mean distances of features when one factor changes and the other is fixed."""

    within_identity: float  # one identity in two motions, at the same time
    between_identities: float  # two identities in one motion, at the same time


class MotionCodeConsistency(NamedTuple):
    """Agreement of measured motion codes with their targets, per dimension and in total."""

    error: Tensor  # (N,) root mean squared error over the standard deviation of the targets
    r2: Tensor  # (N,) coefficient of determination: 1 - error²
    correlation: Tensor  # (N,) over time, about the mean of each sequence
    total_error: float
    total_r2: float
    total_correlation: float


@torch.no_grad()
def between_within_distances(features: Tensor) -> BetweenWithinDistances:
    """Mean Euclidean distances of the features of a factor grid.

    Args:
        features (Tensor): P identities in M motions, shape (P, M, T, d); pairs with NaN (no detection) are ignored.

    Returns:
        BetweenWithinDistances: NaN where there is no pair, as with one identity or one motion.
    """
    check_shape('features', features, (None, None, None, None))
    points = features.double()
    return BetweenWithinDistances(_mean_distance(rearrange(points, 'p m t d -> p t m d')),
                                  _mean_distance(rearrange(points, 'p m t d -> m t p d')))


@torch.no_grad()
def retrieval_accuracy(features: Tensor, references: Tensor) -> float:
    """Share of features whose nearest reference belongs to their own class; chance is 1 / K.

    Args:
        features (Tensor): n of each of K classes, shape (K, n, d); those with NaN are ignored.
        references (Tensor): One of each class, shape (K, d); classes with NaN are left out.

    Returns:
        float: In [0, 1]; NaN if nothing can be compared.
    """
    check_shape('features', features, (None, None, None))
    check_shape('references', references, (features.shape[0], features.shape[2]))
    known = detected_frames(references)
    points, targets = features[known].double(), references[known].double()
    detected = detected_frames(points)  # (K', n)
    if not bool(detected.any()):
        return float('nan')
    nearest = torch.cdist(points, targets[None], compute_mode='donot_use_mm_for_euclid_dist').argmin(-1)
    correct = nearest == torch.arange(len(targets), device=nearest.device)[:, None]
    return float(correct[detected].double().mean())


def motion_code_consistency(target: Tensor, measured: Tensor) -> MotionCodeConsistency:
    """Compare codes encoded from rendered frames with the codes that the frames were rendered from.

    Error and R² are relative to the variance of the targets over all sequences. The correlation is taken about the
    mean of each sequence, so a constant offset of an identity does not affect it. In the totals each dimension is
    weighted by its variance.

    Args:
        target (Tensor): Shape (B, T, N).
        measured (Tensor): The same shape.

    Returns:
        MotionCodeConsistency: float64; NaN for dimensions in which the targets do not vary.
    """
    check_shape('target', target, (None, None, None))
    check_shape('measured', measured, tuple(target.shape))
    target, measured = target.detach().double(), measured.detach().double()
    errors = (measured - target).square().sum((0, 1))
    variance = (target - target.mean((0, 1))).square().sum((0, 1))
    a, b = target - target.mean(1, keepdim=True), measured - measured.mean(1, keepdim=True)
    moments = [product.sum((0, 1)) for product in (a * b, a * a, b * b)]
    by_dimension = _agreement(errors, variance, *moments)
    totals = _agreement(*(sums.sum() for sums in (errors, variance, *moments)))
    return MotionCodeConsistency(*by_dimension, *(float(total) for total in totals))


def _agreement(errors: Tensor, variance: Tensor, covariance: Tensor, power_a: Tensor,
               power_b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    share = torch.where(variance > 0, errors / variance, torch.nan)
    return share.sqrt(), 1 - share, covariance / (power_a * power_b).sqrt()  # 0 / 0 is NaN


def _mean_distance(points: Tensor) -> float:
    """Mean distance over pairs of K points (..., K, d), float64, without pairs with NaN."""
    detected = detected_frames(points)
    distances = torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist')
    others = ~torch.eye(points.shape[2], dtype=torch.bool, device=points.device)
    return float(distances[detected[..., :, None] & detected[..., None, :] & others].mean())
