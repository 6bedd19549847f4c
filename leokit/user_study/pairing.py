"""The design of a study: its pairs, and for each rater the pairs, their order, and which video is on the left.

* The *pool* is the set of pairs on the page, balanced over the pairs of methods.
* A *form* is what one rater sees: pairs of the pool in one order, with left and right assigned. Two forms each show the
  same pairs in different orders with left and right swapped, so over all forms every video is left as often as right.
"""

import itertools
from typing import Collection, Iterator, NamedTuple, Sequence

import numpy as np

from leokit.utils import UserError

MIN_BLOCKS = 16  # of two forms each: at least 32 different orders


class Pair(NamedTuple):
    """One comparison: two methods and the name of the video of each."""

    methods: tuple[str, str]
    names: tuple[str, str]


class FormEntry(NamedTuple):
    """One entry of a form: the index of a trial, and True if its second video is on the left."""

    trial: int
    flipped: bool


def sample_pool(names: dict[str, Collection[str]], count: int, rng: np.random.Generator) -> list[Pair]:
    """Sample the pairs of a study, equally many (up to one) of each pair of methods.

    If two folders have names in common, videos of the same name are paired and the others are not used. If they have
    none, videos are paired at random, and no video is repeated before all of the smaller folder were used.

    Args:
        names (dict): Names of the videos of each method.
        count (int): Number of pairs.
        rng (np.random.Generator): Source of randomness.

    Returns:
        list: Different pairs, with the two methods of each in random order.
    """
    couples = list(itertools.combinations(names, 2))
    held = {method: set(listed) for method, listed in names.items()}
    order = _shuffle(sorted(set().union(*held.values())), rng)
    shuffled = {method: [name for name in order if name in held[method]] for method in names}
    queues = []
    for position, (first, second) in enumerate(couples):
        matched = held[first] & held[second]
        if matched:
            common = [name for name in order if name in matched]
            # each pair of methods starts at another video, so that a small pool still shows many of them
            start = position * len(common) // len(couples)
            queues.append(iter([Pair((first, second), (name, name)) for name in common[start:] + common[:start]]))
        else:
            queues.append(_unmatched(first, second, shuffled, rng))
    pool = _round_robin(_shuffle(queues, rng), count)
    if len(pool) < count:
        raise UserError(f'the folders allow {len(pool)} different pairs, {count} were requested; lower '
                        '--pairs-per-rater (or --pool), or add videos')
    return [Pair(pair.methods[::-1], pair.names[::-1]) if swap else pair
            for pair, swap in zip(pool, rng.random(count) < 0.5)]


def sample_forms(pool: int, pairs_per_rater: int, checks: int, rng: np.random.Generator) -> list[list[FormEntry]]:
    """Sample the forms of a study.

    Each form holds ``pairs_per_rater`` pairs of the pool (a window that advances from form to form, so that all pairs
    are shown equally often) and all attention checks, spread over the form, never first.

    Args:
        pool (int): Number of pairs; they are the trials 0 ... pool - 1.
        pairs_per_rater (int): Pairs in a form, at most ``pool``.
        checks (int): Number of attention checks; they are the trials pool ... pool + checks - 1.
        rng (np.random.Generator): Source of randomness.

    Returns:
        list: Forms, each a list of :class:`FormEntry`.
    """
    if not 1 <= pairs_per_rater <= pool:
        raise UserError(f'--pairs-per-rater {pairs_per_rater} does not fit a pool of {pool} pairs; '
                        'choose a number between 1 and the pool')
    cycle = -(-pool // pairs_per_rater)
    forms = []
    for block in range(cycle * -(-MIN_BLOCKS // cycle)):
        window = [(block * pairs_per_rater + step) % pool for step in range(pairs_per_rater)]
        flips = _balanced_flips(window, rng) | _balanced_flips(range(pool, pool + checks), rng)
        for mirrored in (False, True):
            order = _insert_checks(_shuffle(window, rng), _shuffle(range(pool, pool + checks), rng), rng)
            forms.append([FormEntry(trial, flips[trial] != mirrored) for trial in order])
    return forms


def _shuffle(items: Sequence, rng: np.random.Generator) -> list:
    """The items in random order."""
    return [items[i] for i in rng.permutation(len(items))]


def _unmatched(first: str, second: str, shuffled: dict[str, list[str]],
               rng: np.random.Generator) -> Iterator[Pair]:
    """Yield every pair of two folders once; each round uses every video of the smaller folder once."""
    small, large = sorted((first, second), key=lambda method: len(shuffled[method]))
    for offset in [0, *(1 + rng.permutation(len(shuffled[large]) - 1))]:
        for i, name in enumerate(shuffled[small]):
            partner = shuffled[large][(i + int(offset)) % len(shuffled[large])]
            pair = {small: name, large: partner}
            yield Pair((first, second), (pair[first], pair[second]))


def _round_robin(queues: list[Iterator[Pair]], count: int) -> list[Pair]:
    """Take one pair of each queue in turn until there are ``count`` or all queues are empty."""
    taken: list[Pair] = []
    while queues and len(taken) < count:
        for queue in list(queues):
            pair = next(queue, None)
            if pair is None:
                queues.remove(queue)
            elif len(taken) < count:
                taken.append(pair)
    return taken


def _balanced_flips(trials: Sequence[int], rng: np.random.Generator) -> dict[int, bool]:
    """Flip a random half of the trials; of an odd number, the odd one at random."""
    trials = list(trials)
    flips = rng.permutation(len(trials)) * 2 < len(trials) - rng.integers(2) * (len(trials) % 2)
    return dict(zip(trials, flips.tolist()))


def _insert_checks(pairs: list[int], checks: list[int], rng: np.random.Generator) -> list[int]:
    """Insert the checks among the pairs: one in each of equal stretches, at a random position after the first pair."""
    edges = np.linspace(1, len(pairs) + 1, len(checks) + 1)
    positions = [int(low + rng.random() * (high - low)) for low, high in itertools.pairwise(edges)]
    order = list(pairs)
    for position, check in reversed(list(zip(positions, checks))):
        order.insert(position, check)
    return order
