"""Inter-rater agreement beyond chance, for nominal answers.

Every function takes a table of counts, shape (items, categories): the number of raters who put the item into the
category. Items with fewer than two ratings are ignored.
"""

import numpy as np


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss' kappa (Fleiss 1971, Psychological Bulletin 76:378-382).

    Fleiss assumes the same number of raters for every item. Where the numbers differ, each item's agreement is computed
    with its own number and all items have equal weight; for equal numbers this is his formula.

    Returns:
        float: At most 1; 0 is chance. NaN if no item has two ratings or all ratings are of one category.
    """
    counts = _rated(counts)
    if not len(counts):
        return float('nan')
    expected = np.square(counts.sum(axis=0) / counts.sum()).sum()
    return float((pair_agreement(counts) - expected) / (1 - expected)) if expected < 1 else float('nan')


def krippendorff_alpha(counts: np.ndarray) -> float:
    """Krippendorff's alpha for nominal data (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").

    It allows different numbers of ratings per item and corrects for small samples.

    Returns:
        float: As for :func:`fleiss_kappa`.
    """
    counts = _rated(counts)
    totals = counts.sum(axis=0)
    ratings = totals.sum()
    expected = ratings ** 2 - np.square(totals).sum()  # ordered pairs of different answers, regardless of the item
    if not expected:
        return float('nan')
    raters = counts.sum(axis=1, keepdims=True)
    observed = (counts * (raters - counts) / (raters - 1)).sum()  # the same, within items
    return float(1 - (ratings - 1) * observed / expected)


def pair_agreement(counts: np.ndarray) -> float:
    """Fraction of pairs of ratings of one item that are equal, averaged over items; NaN if no item has two ratings."""
    counts = _rated(counts)
    if not len(counts):
        return float('nan')
    raters = counts.sum(axis=1)
    return float(((counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))).mean())


def _rated(counts: np.ndarray) -> np.ndarray:
    """Items with at least two ratings, as float64."""
    counts = np.asarray(counts, dtype=np.float64)
    return counts[counts.sum(axis=1) >= 2]
