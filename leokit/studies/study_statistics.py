"""Means, standard errors and paired differences of the runs of a study."""

import math
from dataclasses import dataclass
from typing import Sequence

import numpy as np

from leokit.studies.runs import Run
from leokit.studies.study import Metric, Study, Variant
from leokit.utils import UserError
from leokit.utils.errors import suggest

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """The mean of independent values.

    Attributes:
        values (dict[int, float]): By seed.
    """

    values: dict[int, float]

    @property
    def mean(self) -> float:
        """Their mean."""
        return float(np.mean(list(self.values.values())))

    @property
    def error(self) -> float | None:
        """Its standard error; None for one value."""
        count = len(self.values)
        return float(np.std(list(self.values.values()), ddof=1) / math.sqrt(count)) if count > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's interval of ``CONFIDENCE`` about the mean; None for one value."""
        if self.error is None:
            return None
        from scipy.stats import t
        half = float(t.ppf((1 + CONFIDENCE) / 2, len(self.values) - 1)) * self.error
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class Comparison:
    """What the finished runs say.

    Attributes:
        study (Study): The study.
        scores (dict): Estimate by (variant's name, metric's key); without those that nothing was measured of.
        differences (dict): The same of the paired differences to the reference: the variant's loss less the
            reference's at the same seed, so that above 0 the reference is better.
        done (int): Finished runs.
        total (int): Runs in all.
    """

    study: Study
    scores: dict[tuple[str, str], Estimate]
    differences: dict[tuple[str, str], Estimate]
    done: int
    total: int

    def best(self, metric: Metric) -> str | None:
        """Name of the variant with the best mean; None if there is no choice."""
        means = {variant.name: metric.loss(self.scores[variant.name, metric.key].mean)
                 for variant in self.study.variants if (variant.name, metric.key) in self.scores}
        return min(means, key=means.__getitem__) if len(means) > 1 else None


def compare(study: Study, runs: Sequence[Run]) -> Comparison:
    """Put the scores of finished runs together.

    Args:
        study (Study): The study.
        runs (Sequence[Run]): Its runs, finished or not.

    Returns:
        Comparison: Of what there is.

    Raises:
        UserError: If a finished run did not measure one of the metrics.
    """
    finished = {(run.variant.name, run.seed): (run, scores) for run in runs if (scores := run.scores()) is not None}
    values = {}
    for variant in study.variants:
        for metric in study.metrics:
            found = {seed: _value(*finished[variant.name, seed], metric)
                     for seed in study.seeds if (variant.name, seed) in finished}
            if found:
                values[variant.name, metric.key] = found
    differences = {}
    for variant in study.variants:
        for metric in study.metrics if variant is not study.reference else ():
            paired = _paired(values, variant, study.reference, metric)
            if paired:
                differences[variant.name, metric.key] = Estimate(paired)
    return Comparison(study, {key: Estimate(found) for key, found in values.items()}, differences, len(finished),
                      len(runs))


def _value(run: Run, scores: dict[str, float], metric: Metric) -> float:
    if metric.key not in scores:
        raise UserError(f'{run.metrics_file} holds no {metric.key}{suggest(metric.key, scores)}; it holds: '
                        f'{", ".join(scores)}')
    return float(scores[metric.key])


def _paired(values: dict, variant: Variant, reference: Variant, metric: Metric) -> dict[int, float]:
    own, other = (values.get((one.name, metric.key), {}) for one in (variant, reference))
    return {seed: metric.loss(own[seed]) - metric.loss(other[seed]) for seed in own if seed in other}
