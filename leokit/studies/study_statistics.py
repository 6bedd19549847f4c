"""Means, standard errors and paired differences of the scores of a study."""

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
        """The mean."""
        return float(np.mean(list(self.values.values())))

    @property
    def error(self) -> float | None:
        """Standard error of the mean; None for one value."""
        count = len(self.values)
        return float(np.std(list(self.values.values()), ddof=1) / math.sqrt(count)) if count > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Confidence interval of the mean (Student's t, level ``CONFIDENCE``); None for one value."""
        if self.error is None:
            return None
        from scipy.stats import t  # scipy is slow to import
        half = float(t.ppf((1 + CONFIDENCE) / 2, len(self.values) - 1)) * self.error
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class Comparison:
    """Scores of the finished runs.

    Attributes:
        study (Study): The study.
        scores (dict): Estimate by (name of the variant, key of the metric), without those that have no values.
        differences (dict): Likewise for the paired differences to the reference: loss of the variant minus loss of the
            reference under the same seed, so that positive values are in favor of the reference.
        done (int): Number of finished runs.
        total (int): Number of all runs.
    """

    study: Study
    scores: dict[tuple[str, str], Estimate]
    differences: dict[tuple[str, str], Estimate]
    done: int
    total: int

    def best(self, metric: Metric) -> str | None:
        """Name of the variant with the best mean; None if fewer than two variants have one."""
        losses = {variant.name: metric.loss(self.scores[variant.name, metric.key].mean)
                  for variant in self.study.variants if (variant.name, metric.key) in self.scores}
        return min(losses, key=losses.__getitem__) if len(losses) > 1 else None


def compare(study: Study, runs: Sequence[Run]) -> Comparison:
    """Compare the scores of the finished runs.

    Raises:
        UserError: If a finished run has no value for one of the metrics.
    """
    finished = {(run.variant.name, run.seed): (run, scores) for run in runs if (scores := run.scores()) is not None}
    values = {}
    for variant in study.variants:
        for metric in filter(variant.has, study.metrics):
            by_seed = {seed: _value(*finished[variant.name, seed], metric)
                       for seed in study.seeds if (variant.name, seed) in finished}
            if by_seed:
                values[variant.name, metric.key] = by_seed
    differences = {}
    for variant in study.variants:
        for metric in study.metrics if variant is not study.reference else ():
            paired = _paired(values, variant, study.reference, metric)
            if paired:
                differences[variant.name, metric.key] = Estimate(paired)
    return Comparison(study, {key: Estimate(by_seed) for key, by_seed in values.items()}, differences, len(finished),
                      len(runs))


def _value(run: Run, scores: dict[str, float], metric: Metric) -> float:
    if metric.key not in scores:
        raise UserError(f'{run.metrics_file} has no {metric.key}{suggest(metric.key, scores)}; it has: '
                        f'{", ".join(scores)}')
    return float(scores[metric.key])


def _paired(values: dict, variant: Variant, reference: Variant, metric: Metric) -> dict[int, float]:
    own, other = (values.get((one.name, metric.key), {}) for one in (variant, reference))
    return {seed: metric.loss(own[seed]) - metric.loss(other[seed]) for seed in own if seed in other}
