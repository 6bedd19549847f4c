"""How far a score could be off: spread over trials, or the jackknife where trials cannot differ."""

import math
from typing import Callable, Sequence

import numpy as np
from torch import Tensor

from leokit.evaluation.records import Score

JACKKNIFE_GROUPS = 10


def jackknife_std(estimate: Callable[..., float], *sets: Tensor, groups: int = JACKKNIFE_GROUPS) -> float | None:
    """Standard error of an estimate by leaving out one group of samples of every set at a time.

    For independent sets this adds the variances that each of them causes. It tells how much the value would move
    with other samples of the same number; it does not see the bias that a small number itself causes.

    Args:
        estimate (Callable): Takes the sets, gives a number.
        *sets (Tensor): Samples along the first dimension.
        groups (int): Number of groups.

    Returns:
        float | None: The standard error; None when a set is too small to be divided.
    """
    groups = min(groups, *(len(samples) for samples in sets))
    # A distance of sets needs at least two samples after one group has gone.
    if groups < 2 or any(len(samples) - math.ceil(len(samples) / groups) < 2 for samples in sets):
        return None
    values = np.asarray([estimate(*(_without(samples, group, groups) for samples in sets)) for group in range(groups)])
    return float(math.sqrt((groups - 1) / groups * np.square(values - values.mean()).sum()))


def score_of_trials(values: Sequence[float], trials_differ: bool, jackknife: Callable[[], float | None]) -> Score:
    """Put the trials' values into a score.

    Args:
        values (Sequence[float]): One value for each trial.
        trials_differ (bool): Whether the trials looked at different clips.
        jackknife (Callable): Gives the standard error where they did not.

    Returns:
        Score: With a value of None when a trial has none.
    """
    if not values or not all(math.isfinite(value) for value in values):
        return Score(None, values=tuple(values))
    mean = float(np.mean(values))
    if trials_differ and len(values) > 1:
        return Score(mean, float(np.std(values, ddof=1)), 'trials', tuple(values))
    std = jackknife()
    known = std is not None and math.isfinite(std)
    return Score(mean, std if known else None, 'jackknife' if known else 'none', tuple(values))


def _without(samples: Tensor, group: int, groups: int) -> Tensor:
    # Groups are blocks: clips stand in the order of their videos, and clips of one video belong together.
    return samples[np.arange(len(samples)) * groups // len(samples) != group]
