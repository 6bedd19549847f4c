"""Agreement of raters beyond chance, for nominal answers.

Both functions take a table of counts, shape (items, categories): how many raters put the item into the category.
"""

import numpy as np


def fleiss_kappa(counts: np.ndarray) -> float:
    """Fleiss' kappa (Fleiss 1971, Psychological Bulletin 76:378-382).

    Fleiss wants the same number of raters for every item. Where the numbers differ, each item's agreement is computed
    with its own number and weighs the same; for equal numbers that is his formula.

    Args:
        counts (ndarray): Shape (items, categories). Items with fewer than two ratings are ignored.

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

    It takes items with different numbers of ratings and corrects for few ratings.

    Args:
        counts (ndarray): Shape (items, categories). Items with fewer than two ratings are ignored.

    Returns:
        float: At most 1; 0 is chance. NaN if no item has two ratings or all ratings are of one category.
    """
    counts = _rated(counts)
    totals = counts.sum(axis=0)
    ratings = totals.sum()
    expected = ratings ** 2 - np.square(totals).sum()  # ordered pairs of different answers, items mixed
    if not expected:
        return float('nan')
    raters = counts.sum(axis=1, keepdims=True)
    observed = (counts * (raters - counts) / (raters - 1)).sum()  # the same within items
    return float(1 - (ratings - 1) * observed / expected)


def pair_agreement(counts: np.ndarray) -> float:
    """Share of pairs of ratings of one item that are equal, averaged over items.

    Args:
        counts (ndarray): Shape (items, categories). Items with fewer than two ratings are ignored.

    Returns:
        float: In [0, 1]; NaN if no item has two ratings.
    """
    counts = _rated(counts)
    if not len(counts):
        return float('nan')
    raters = counts.sum(axis=1)
    return float(((counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))).mean())


def _rated(counts: np.ndarray) -> np.ndarray:
    """Return the items with two ratings or more, as float64."""
    counts = np.asarray(counts, dtype=np.float64)
    return counts[counts.sum(axis=1) >= 2]
