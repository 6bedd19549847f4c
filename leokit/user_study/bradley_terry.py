"""Bradley-Terry ranking: one strength per method from all paired comparisons.

P(i preferred to j) = exp(s_i) / (exp(s_i) + exp(s_j)), strengths with mean zero (Bradley and Terry 1952, Biometrika
39:324-345). A tie counts as half a win for each. The log-likelihood is concave; it is maximized by Newton steps for a
batch of datasets at once (the bootstrap samples), and has a finite maximum if and only if every method can be reached
from every other one along wins (Ford 1957). Dimensions: B datasets, K methods, R raters.
"""

from typing import NamedTuple, Sequence

import numpy as np

from leokit.user_study.preference import resample_raters
from leokit.utils import UserError

PSEUDO_WINS = 0.5  # added for both methods of each compared pair where the maximum is not finite
MAX_STEP = 2.0  # largest change of a strength in one Newton step; full steps overshoot far from the maximum
MAX_STEPS = 200
TOLERANCE = 1e-9  # largest change of a strength in the last step


class Ranking(NamedTuple):
    """A ranking with its uncertainty; every array has shape (K,).

    Attributes:
        strengths (np.ndarray): Log strengths, mean zero.
        errors (np.ndarray): Standard errors from the Fisher information, with answers taken as independent.
        low (np.ndarray): Lower ends of the bootstrap intervals of the strengths (raters resampled).
        high (np.ndarray): Upper ends.
        ranks (np.ndarray): 1 is best; equal strengths share the better rank.
        rank_low (np.ndarray): Best rank within the bootstrap interval.
        rank_high (np.ndarray): Worst rank within it.
        best (np.ndarray): Fraction of the bootstrap samples in which the method ranks first.
        regularized (bool): PSEUDO_WINS had to be added to the data.
        regularized_samples (float): Fraction of the bootstrap samples in which they had to be added.
    """

    strengths: np.ndarray
    errors: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ranks: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    best: np.ndarray
    regularized: bool
    regularized_samples: float


def fit_strengths(wins: np.ndarray) -> np.ndarray:
    """Maximum-likelihood strengths; a ValueError unless :func:`has_finite_maximum`.

    Args:
        wins (np.ndarray): Shape (K, K) or (B, K, K): how often the row's method beat the column's, 0 or more; the
            diagonal is ignored.

    Returns:
        np.ndarray: Log strengths, mean zero, shape (K,) or (B, K).
    """
    wins = np.asarray(wins, dtype=np.float64)
    batch = wins.reshape(-1, *wins.shape[-2:]) * ~np.eye(wins.shape[-1], dtype=bool)  # (B, K, K), zero diagonal
    if not has_finite_maximum(batch).all():
        raise ValueError('the strengths have no finite maximum: some methods never lost to the others')
    counts = batch + batch.swapaxes(1, 2)
    strengths = np.zeros(batch.shape[:2])
    for _ in range(MAX_STEPS):
        chance = _win_chance(strengths)
        gradient = (batch - counts * chance).sum(axis=2)
        # + 1.0 makes the information invertible and keeps the mean at zero
        step = np.linalg.solve(_information(counts, chance) + 1.0, gradient[..., None])[..., 0]
        largest = np.abs(step).max(axis=1, keepdims=True)
        strengths += step * (MAX_STEP / np.maximum(largest, MAX_STEP))
        if largest.max() < TOLERANCE:
            break
    return (strengths - strengths.mean(axis=1, keepdims=True)).reshape(wins.shape[:-1])


def standard_errors(wins: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Standard errors (K,) of maximum-likelihood strengths (K,) of ``wins`` (K, K), from the Fisher information."""
    counts = wins + wins.T
    np.fill_diagonal(counts, 0)
    return np.sqrt(np.diag(np.linalg.pinv(_information(counts[None], _win_chance(strengths[None]))[0])))


def has_finite_maximum(wins: np.ndarray) -> np.ndarray:
    """Ford's condition, every method can be reached from every other one along wins: (B, K, K) -> bool (B,)."""
    return _reachable(wins > 0).all(axis=(1, 2))


def comparison_groups(wins: np.ndarray) -> list[list[int]]:
    """Groups (lists of indices) of methods that were compared directly or through others, for ``wins`` (K, K)."""
    connected = _reachable((wins + wins.T > 0)[None])[0]
    return [np.flatnonzero(row).tolist() for row in np.unique(connected, axis=0)[::-1]]


def rank_methods(wins: np.ndarray, methods: Sequence[str], rng: np.random.Generator, *, samples: int = 2000,
                 confidence: float = 0.95) -> Ranking:
    """Rank methods, with the uncertainty of the ranking.

    Args:
        wins (np.ndarray): Wins per rater, shape (R, K, K).
        methods (Sequence[str]): The K names, for messages.
        rng (np.random.Generator): Source of randomness of the bootstrap.
        samples (int): Bootstrap samples.
        confidence (float): Coverage of the intervals, between 0 and 1.

    Raises:
        UserError: If the methods fall into groups that were never compared with each other.
    """
    total = wins.sum(axis=0)
    groups = comparison_groups(total)
    if len(groups) > 1:
        listed = ' | '.join(', '.join(methods[i] for i in group) for group in groups)
        raise UserError(f'the methods cannot be ranked together, no answer compares one group with another: {listed}; '
                        'collect answers to pairs across the groups, or analyze each group separately')
    prior = PSEUDO_WINS * (total + total.T > 0)  # (K, K); nothing for methods that were never compared
    regularized = not has_finite_maximum(total[None])[0]
    data = total + prior * regularized
    strengths = fit_strengths(data)
    resampled = resample_raters(wins, samples, rng)
    # a bootstrap sample can lack a finite maximum although the data have one
    unbounded = np.ones(samples, dtype=bool) if regularized else ~has_finite_maximum(resampled)
    sampled = fit_strengths(resampled + prior * unbounded[:, None, None])
    tail = (1 - confidence) / 2
    low, high = np.quantile(sampled, [tail, 1 - tail], axis=0)
    sampled_ranks = _ranks(sampled)
    rank_low, rank_high = np.quantile(sampled_ranks, [tail, 1 - tail], axis=0, method='nearest')
    return Ranking(strengths, standard_errors(data, strengths), low, high, _ranks(strengths[None])[0], rank_low,
                   rank_high, (sampled_ranks == 1).mean(axis=0), regularized, float(unbounded.mean()))


def _win_chance(strengths: np.ndarray) -> np.ndarray:
    """P(row preferred to column), shape (B, K, K)."""
    # the logistic function by tanh, which cannot overflow
    return 0.5 + 0.5 * np.tanh((strengths[:, :, None] - strengths[:, None, :]) / 2)


def _information(counts: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Fisher information of the strengths, shape (B, K, K): a graph Laplacian, singular along (1, ..., 1)."""
    weights = counts * chance * (1 - chance)
    return weights.sum(axis=2)[..., None] * np.eye(counts.shape[-1]) - weights


def _reachable(edges: np.ndarray) -> np.ndarray:
    """Transitive and reflexive closure of directed graphs, bool, shape (B, K, K)."""
    size = edges.shape[-1]
    paths = edges | np.eye(size, dtype=bool)
    for _ in range(max(1, size - 1).bit_length()):  # squaring doubles the length of the paths
        paths = (paths.astype(np.float32) @ paths.astype(np.float32)) > 0
    return paths


def _ranks(strengths: np.ndarray) -> np.ndarray:
    """Ranks within each row, 1 for the largest; ties (within 1e-7) share the better rank. Shape (B, K)."""
    return 1 + (strengths[:, None, :] > strengths[:, :, None] + 1e-7).sum(axis=2)
