"""Preference between two methods, with intervals that account for raters (bootstrap) or do not (Wilson).

Dimensions: R raters, K methods, B bootstrap samples.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


class Tally(NamedTuple):
    """The answers of a study as counts.

    Attributes:
        wins (np.ndarray): float64, shape (R, K, K): how often the rater preferred the row's method to the column's; a
            tie counts one half for each.
        ties (np.ndarray): int64, shape (R, K, K), symmetric: the ties among them.
    """

    wins: np.ndarray
    ties: np.ndarray


def wilson_interval(successes: float, count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927, JASA 22:209-212).

    Args:
        successes (float): Successes; halves are allowed.
        count (float): Trials, more than 0.
        confidence (float): Coverage, between 0 and 1.

    Returns:
        tuple: Lower and upper end, in [0, 1].
    """
    if not (0 < count and 0 <= successes <= count and 0 < confidence < 1):
        raise ValueError(f'need 0 <= successes <= count, count > 0 and 0 < confidence < 1, got {successes}, {count}, '
                         f'{confidence}')
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / count
    center = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, center - half), min(1.0, center + half)


def resample_raters(wins: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Bootstrap raters (with replacement) and sum their wins.

    Answers of one rater are correlated; resampling raters instead of answers keeps the correlation in the intervals.

    Args:
        wins (np.ndarray): Shape (R, K, K).
        samples (int): Number of samples B.
        rng (np.random.Generator): Source of randomness.

    Returns:
        np.ndarray: float64, shape (B, K, K).
    """
    raters = len(wins)
    # how often each rater is drawn, (B, R); then (B, R) x (R, K, K) -> (B, K, K)
    weights = rng.multinomial(raters, np.full(raters, 1 / raters), size=samples)
    return np.tensordot(weights.astype(np.float64), wins, axes=1)


def share_intervals(resampled: np.ndarray, confidence: float = 0.95) -> np.ndarray:
    """Percentile intervals of the preference of each method over each other one.

    Args:
        resampled (np.ndarray): Wins of B bootstrap samples, shape (B, K, K).
        confidence (float): Coverage, between 0 and 1.

    Returns:
        np.ndarray: Shape (2, K, K), lower and upper ends in [0, 1]; NaN where two methods were never compared. Samples
        without a comparison of two methods are ignored for that pair.
    """
    counts = resampled + resampled.swapaxes(1, 2)
    shares = np.divide(resampled, counts, out=np.full_like(counts, np.nan), where=counts > 0)
    tail = (1 - confidence) / 2
    ends = np.full((2, *counts.shape[1:]), np.nan)
    seen = (counts > 0).any(axis=0)
    ends[:, seen] = np.nanquantile(shares[:, seen], [tail, 1 - tail], axis=0)
    return ends
