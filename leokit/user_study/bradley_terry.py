"""Bradley-Terry ranking: one strength per method from all paired comparisons.

P(i preferred to j) = exp(s_i) / (exp(s_i) + exp(s_j)), strengths with mean zero (Bradley and Terry 1952, Biometrika
39:324-345). A tie counts as half a win for each. The likelihood is concave; it is maximized by Newton steps for many
data sets at once (the bootstrap's), and has a finite maximum if and only if every method can be reached from every
other one along wins (Ford 1957). Letters: B data sets, K methods, R raters.
"""

from typing import NamedTuple, Sequence

import numpy as np

from leokit.user_study.preference import resample_raters
from leokit.utils import UserError

PSEUDO_WINS = 0.5  # given to both sides of each compared pair of methods where the maximum is not finite
MAX_STEP = 2.0  # longest change of a strength in one Newton step; from far away full steps overshoot
MAX_STEPS = 200
TOLERANCE = 1e-9  # largest change of a strength in the last step


class Ranking(NamedTuple):
    """A ranking with its uncertainty; every array has shape (K,).

    Attributes:
        strengths (ndarray): Log strengths, mean zero.
        errors (ndarray): Standard errors from the Fisher information, answers taken as independent.
        low (ndarray): Lower ends of the bootstrap intervals of the strengths (raters resampled).
        high (ndarray): Upper ends.
        ranks (ndarray): 1 is best; equal strengths share the better rank.
        rank_low (ndarray): Best rank within the bootstrap interval.
        rank_high (ndarray): Worst rank within it.
        best (ndarray): Share of the bootstrap samples in which the method comes first.
        regularized (bool): Whether PSEUDO_WINS had to be added to the data.
        regularized_samples (float): Share of the bootstrap samples in which they had to be added.
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
    """Find the strengths of maximal likelihood.

    Args:
        wins (ndarray): Shape (K, K) or (B, K, K): how often the row's method beat the column's, 0 or more; the
            diagonal is ignored.

    Returns:
        ndarray: Log strengths, mean zero, shape (K,) or (B, K).

    Raises:
        ValueError: If the maximum is not finite for one of the data sets (see :func:`has_finite_maximum`).
    """
    wins = np.asarray(wins, dtype=np.float64)
    batch = wins.reshape(-1, *wins.shape[-2:]) * ~np.eye(wins.shape[-1], dtype=bool)
    if not has_finite_maximum(batch).all():
        raise ValueError('the strengths have no finite maximum: some methods never lost to the others')
    counts = batch + batch.swapaxes(1, 2)
    strengths = np.zeros(batch.shape[:2])
    for _ in range(MAX_STEPS):
        chance = _win_chance(strengths)
        gradient = (batch - counts * chance).sum(axis=2)
        step = np.linalg.solve(_information(counts, chance) + 1.0, gradient[..., None])[..., 0]  # + 1.0: mean zero
        largest = np.abs(step).max(axis=1, keepdims=True)
        strengths += step * (MAX_STEP / np.maximum(largest, MAX_STEP))
        if largest.max() < TOLERANCE:
            break
    return (strengths - strengths.mean(axis=1, keepdims=True)).reshape(wins.shape[:-1])


def standard_errors(wins: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Standard errors of the strengths (mean zero) from the Fisher information.

    Args:
        wins (ndarray): Shape (K, K).
        strengths (ndarray): Shape (K,), of maximal likelihood.

    Returns:
        ndarray: Shape (K,).
    """
    counts = wins + wins.T
    np.fill_diagonal(counts, 0)
    return np.sqrt(np.diag(np.linalg.pinv(_information(counts[None], _win_chance(strengths[None]))[0])))


def has_finite_maximum(wins: np.ndarray) -> np.ndarray:
    """Ford's condition: along wins, every method can be reached from every other one.

    Args:
        wins (ndarray): Shape (B, K, K).

    Returns:
        ndarray: bool, shape (B,).
    """
    return _reachable(wins > 0).all(axis=(1, 2))


def comparison_groups(wins: np.ndarray) -> list[list[int]]:
    """Sort methods into groups that were compared with each other, directly or through others.

    Args:
        wins (ndarray): Shape (K, K).

    Returns:
        list: Lists of method numbers; a single one if all are connected.
    """
    connected = _reachable((wins + wins.T > 0)[None])[0]
    return [np.flatnonzero(row).tolist() for row in np.unique(connected, axis=0)[::-1]]


def rank_methods(wins: np.ndarray, methods: Sequence[str], rng: np.random.Generator, *, samples: int = 2000,
                 confidence: float = 0.95) -> Ranking:
    """Rank methods and say how sure the ranking is.

    Args:
        wins (ndarray): Wins per rater, shape (R, K, K).
        methods (sequence): The K names, for messages.
        rng (Generator): Source of randomness of the bootstrap.
        samples (int): Bootstrap samples.
        confidence (float): Coverage of the intervals, between 0 and 1.

    Returns:
        Ranking: The ranking.

    Raises:
        UserError: If the methods fall into groups that were never compared with each other.
    """
    total = wins.sum(axis=0)
    groups = comparison_groups(total)
    if len(groups) > 1:
        listed = ' | '.join(', '.join(methods[i] for i in group) for group in groups)
        raise UserError(f'the methods cannot be ranked together, no answer compares one group with another: {listed}; '
                        'collect answers to pairs across the groups, or analyze each group by itself')
    prior = PSEUDO_WINS * (total + total.T > 0)
    regularized = not has_finite_maximum(total[None])[0]
    data = total + prior * regularized
    strengths = fit_strengths(data)
    resampled = resample_raters(wins, samples, rng)
    weak = np.ones(samples, dtype=bool) if regularized else ~has_finite_maximum(resampled)
    drawn = fit_strengths(resampled + prior * weak[:, None, None])
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    drawn_ranks = _ranks(drawn)
    rank_low, rank_high = np.quantile(drawn_ranks, [tail, 1 - tail], axis=0, method='nearest')
    return Ranking(strengths, standard_errors(data, strengths), low, high, _ranks(strengths[None])[0], rank_low,
                   rank_high, (drawn_ranks == 1).mean(axis=0), regularized, float(weak.mean()))


def _win_chance(strengths: np.ndarray) -> np.ndarray:
    """P(row preferred to column), shape (B, K, K)."""
    # tanh instead of 1 / (1 + exp): cannot overflow
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
    """Ranks within each row, 1 for the largest; ties (to 1e-7) share the better rank. Shape (B, K)."""
    return 1 + (strengths[:, None, :] > strengths[:, :, None] + 1e-7).sum(axis=2)
