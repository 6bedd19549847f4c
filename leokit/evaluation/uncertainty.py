"""Uncertainty of a score: standard deviation over trials, or the jackknife if all trials use the same clips."""

import math
from typing import Callable, Sequence

import numpy as np
from torch import Tensor

from leokit.evaluation.records import Score

JACKKNIFE_GROUPS = 10


def jackknife_std(estimate: Callable[..., float], *sets: Tensor, groups: int = JACKKNIFE_GROUPS) -> float | None:
    """Standard error of an estimate by the delete-a-group jackknife.

    One group of samples of every set is left out at a time; for independent sets this adds the variances that they
    cause. It estimates how much the value varies with other samples of the same number, and does not include the bias
    of a small number of samples.

    Args:
        estimate (Callable): Maps the sets to a number.
        *sets (Tensor): Samples along the first dimension.
        groups (int): Number of groups.

    Returns:
        float | None: None if a set is too small to be divided.
    """
    groups = max(1, min(groups, *(len(samples) for samples in sets)))
    # A distance of sets needs at least two samples after a group was left out.
    if any(len(samples) * (groups - 1) < 2 * groups for samples in sets):
        return None
    values = np.asarray([estimate(*(_without(samples, group, groups) for samples in sets)) for group in range(groups)])
    return float(math.sqrt((groups - 1) / groups * np.square(values - values.mean()).sum()))


def score_of_trials(values: Sequence[float], trials_differ: bool, jackknife: Callable[[], float | None]) -> Score:
    """Combine the values of the trials to a score.

    Args:
        values (Sequence[float]): One value per trial.
        trials_differ (bool): Whether the trials used different clips.
        jackknife (Callable): Returns the standard error; called if the trials did not differ.

    Returns:
        Score: Its value is None if a trial has no finite value.
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
    # Groups are contiguous: clips are sorted by video, and the clips of one video are not independent.
    return samples[np.arange(len(samples)) * groups // len(samples) != group]
