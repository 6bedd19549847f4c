"""How well who is seen and how they move can be changed without each other.

A crossing shows P people in M motions, every person in every motion. What should depend on the person alone (an
identity embedding) must hardly change along the motions; what should depend on the motion alone (codes read from the
frames again) must be what was asked for, whoever is seen.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from leokit.metrics.acd import detected_frames
from leokit.utils import check_shape


class FactorDistances(NamedTuple):
    """How far apart features are when one of the two factors changes and the other one does not."""

    motion_changes: float  # mean distance of two videos of one person at the same time
    person_changes: float  # mean distance of two people in the same motion at the same time


class CodeAgreement(NamedTuple):
    """Codes read from rendered frames against the codes asked for; entries by dimension, and all of them together."""

    error: Tensor  # (N,) root mean squared error over the standard deviation of the codes asked for
    r2: Tensor  # (N,) coefficient of determination: 1 - error²
    correlation: Tensor  # (N,) over time, about the mean of each sequence
    total_error: float
    total_r2: float
    total_correlation: float


def factor_distances(features: Tensor) -> FactorDistances:
    """Mean Euclidean distances of features of a crossing, when only the motion and when only the person changes.

    Args:
        features (Tensor): Shape (P, M, T, d); NaN where nothing was detected: such pairs do not count.

    Returns:
        FactorDistances: NaN where there is no pair, as with one person or one motion.

    Raises:
        ValueError: If the shape does not fit.
    """
    check_shape('features', features, (None, None, None, None))
    points = features.detach().double()
    return FactorDistances(_mean_distance(points.transpose(1, 2)), _mean_distance(points.permute(1, 2, 0, 3)))


def recognition(features: Tensor, references: Tensor) -> float:
    """Share of features whose nearest reference is that of their own class; chance is 1 / K.

    Args:
        features (Tensor): Several of each of K classes, shape (K, n, d); those with NaN do not count.
        references (Tensor): One of each class, shape (K, d); classes with NaN are left out.

    Returns:
        float: In [0, 1]; NaN if nothing can be compared.

    Raises:
        ValueError: If the shapes do not fit.
    """
    check_shape('features', features, (None, None, None))
    check_shape('references', references, (features.shape[0], features.shape[2]))
    known = detected_frames(references)
    points, targets = features[known].detach().double(), references[known].detach().double()
    seen = detected_frames(points)  # (K', n)
    if not bool(seen.any()):
        return float('nan')
    nearest = torch.cdist(points.nan_to_num(), targets[None], compute_mode='donot_use_mm_for_euclid_dist').argmin(-1)
    right = nearest == torch.arange(len(targets), device=nearest.device)[:, None]
    return float(right[seen].double().mean())


def code_agreement(asked: Tensor, found: Tensor) -> CodeAgreement:
    """Hold codes that were read from frames against the codes that the frames were made of.

    Error and R² are relative to the spread of the codes asked for over all sequences. The correlation is taken about
    the mean of each sequence, so that a constant offset of a person does not enter it. In the totals each dimension
    counts by its variance.

    Args:
        asked (Tensor): Shape (B, T, N).
        found (Tensor): The same shape.

    Returns:
        CodeAgreement: float64; NaN for a dimension in which nothing was asked for.

    Raises:
        ValueError: If the shapes do not fit.
    """
    check_shape('asked', asked, (None, None, None))
    check_shape('found', found, tuple(asked.shape))
    asked, found = asked.detach().double(), found.detach().double()
    errors = (found - asked).square().sum((0, 1))
    spread = (asked - asked.mean((0, 1))).square().sum((0, 1))
    a, b = asked - asked.mean(1, keepdim=True), found - found.mean(1, keepdim=True)
    joint, one, other = (product.sum((0, 1)) for product in (a * b, a * a, b * b))
    by_dimension = _agreement(errors, spread, joint, one, other)
    totals = _agreement(*(table.sum() for table in (errors, spread, joint, one, other)))
    return CodeAgreement(*by_dimension, *(float(total) for total in totals))


def _agreement(errors: Tensor, spread: Tensor, joint: Tensor, one: Tensor,
               other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    share = torch.where(spread > 0, errors / spread, torch.nan)
    moving = (one > 0) & (other > 0)
    correlation = torch.where(moving, joint / (one * other).sqrt(), torch.nan)
    return share.sqrt(), 1 - share, correlation


def _mean_distance(points: Tensor) -> float:
    """Mean distance of the pairs of K points (..., K, d), float64, NaN left out."""
    seen = detected_frames(points)
    distances = torch.cdist(points.nan_to_num(), points.nan_to_num(), compute_mode='donot_use_mm_for_euclid_dist')
    others = ~torch.eye(points.shape[-2], dtype=torch.bool, device=points.device)
    return float(distances[seen[..., :, None] & seen[..., None, :] & others].mean())
