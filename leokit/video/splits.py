"""Divide identities, never clips of one identity, into training, validation and test."""

import hashlib
import logging
from typing import Iterable, Sequence

from mmengine.logging import print_log

from leokit.utils import UserError

SPLITS = ('train', 'val', 'test')
DEFAULT_FRACTIONS = (0.9, 0.05, 0.05)


def split_of(identity: str, fractions: Sequence[float] = DEFAULT_FRACTIONS, *, seed: int = 0) -> str:
    """The split of one identity: a function of its name, the fractions and the seed alone.

    Other identities have no influence, so videos that are added, removed or unreadable move nobody from one split to
    another. The price is that the fractions are met on average only.

    Args:
        identity (str): The name.
        fractions (Sequence[float]): Fractions of train, val and test, with sum 1.
        seed (int): Seed of the division.
    """
    check_fractions(fractions)
    digest = hashlib.sha256(f'{seed}/{identity}'.encode()).digest()
    position = int.from_bytes(digest, 'big') / 2**(8 * len(digest))  # in [0, 1]
    wanted = [(split, fraction) for split, fraction in zip(SPLITS, fractions) if fraction > 0]
    end = 0.0
    for split, fraction in wanted:
        end += fraction
        if position < end:
            return split
    return wanted[-1][0]  # the sum of the fractions was rounded down


def split_identities(identities: Iterable[str], fractions: Sequence[float] = DEFAULT_FRACTIONS, *,
                     seed: int = 0) -> dict[str, str]:
    """Assign every identity to a split by :func:`split_of`; a split that stays empty is named in a warning.

    Args:
        identities (Iterable[str]): Names; repeats do not matter.
        fractions (Sequence[float]): Fractions of train, val and test, with sum 1.
        seed (int): Seed of the division.

    Returns:
        dict[str, str]: Split by identity.
    """
    check_fractions(fractions)
    splits = {identity: split_of(identity, fractions, seed=seed) for identity in sorted(set(identities))}
    empty = [split for split, fraction in zip(SPLITS, fractions) if fraction > 0 and split not in splits.values()]
    if empty:
        print_log(f'none of the {len(splits)} identities falls into {" or ".join(empty)} (fractions '
                  f'{", ".join(f"{fraction:g}" for fraction in fractions)}, seed {seed}); choose larger fractions or '
                  'another seed, or set the split of each video in a manifest', logger='current',
                  level=logging.WARNING)
    return splits


def check_fractions(fractions: Sequence[float]) -> None:
    """A :class:`UserError` unless these are fractions of train, val and test."""
    if len(fractions) != len(SPLITS) or not all(part >= 0 for part in fractions) \
            or abs(sum(fractions) - 1) > 1e-6:
        raise UserError(f'the fractions of {", ".join(SPLITS)} must be non-negative and sum to 1, got '
                        f'{list(fractions)}')
