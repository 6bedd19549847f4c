"""Divide identities, never clips of one identity, into training, validation and test."""

import hashlib
from typing import Iterable, Sequence

from leokit.utils import UserError

SPLITS = ('train', 'val', 'test')
DEFAULT_FRACTIONS = (0.9, 0.05, 0.05)


def split_identities(identities: Iterable[str], fractions: Sequence[float] = DEFAULT_FRACTIONS, *,
                     seed: int = 0) -> dict[str, str]:
    """Assign every identity to a split.

    Identities are shuffled by hashing, so the result depends on the names and the seed alone. Every split with a
    positive fraction gets at least one identity.

    Args:
        identities (Iterable[str]): Names; repeats do not matter.
        fractions (Sequence[float]): Fractions of train, val and test, with sum 1.
        seed (int): Seed of the order.

    Returns:
        dict[str, str]: Split by identity.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise UserError(f'the fractions of {", ".join(SPLITS)} must be non-negative and sum to 1, got '
                        f'{list(fractions)}')
    names = sorted(set(identities), key=lambda name: hashlib.sha256(f'{seed}/{name}'.encode()).digest())
    wanted = [split for split, fraction in zip(SPLITS, fractions) if fraction > 0]
    if len(names) < len(wanted):
        raise UserError(f'{len(names)} identities cannot be divided into {", ".join(wanted)}; add videos of other '
                        'identities, or set the split of each video in a manifest')
    counts = {split: max(1, round(fraction * len(names))) if fraction > 0 else 0
              for split, fraction in zip(SPLITS, fractions)}
    # The largest split absorbs rounding errors.
    largest = max(wanted, key=counts.__getitem__)
    counts[largest] += len(names) - sum(counts.values())
    labels = [split for split in SPLITS for _ in range(counts[split])]
    return dict(zip(names, labels))
