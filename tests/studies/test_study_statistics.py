import dataclasses

import pytest

from leokit.studies import Estimate, Metric, compare
from leokit.utils import UserError


def test_mean_error_and_interval_by_hand():
    estimate = Estimate({0: 1.0, 1: 2.0, 2: 6.0})
    assert estimate.mean == 3 and estimate.error == pytest.approx((7 / 3)**0.5)
    # Student's t with two degrees of freedom: 4.3027
    assert estimate.interval[1] - 3 == pytest.approx(4.3027 * (7 / 3)**0.5, rel=1e-4)
    assert Estimate({4: 1.0}).error is None and Estimate({4: 1.0}).interval is None


def test_paired_differences_cancel_the_effect_of_a_seed(finished):
    comparison = compare(*finished)
    assert (comparison.done, comparison.total) == (6, 6)
    assert comparison.scores['good', 'error'].values == {0: 2.0, 1: 4.0, 2: 6.0}
    difference = comparison.differences['bad one', 'error']
    assert difference.mean == 4 and difference.error == 0
    # 0.9 is nearer to its target 1 than 0.7
    assert comparison.differences['bad one', 'ratio'].mean == pytest.approx(0.2)
    assert all(comparison.best(metric) == 'good' for metric in finished[0].metrics)
    assert ('good', 'error') not in comparison.differences


def test_unfinished_runs_leave_gaps(finished, tmp_path):
    study, runs = finished
    missing = dataclasses.replace(runs[1], folder=tmp_path)
    comparison = compare(study, [runs[0], missing, *runs[2:]])
    assert comparison.done == 5 and set(comparison.differences['bad one', 'error'].values) == {1, 2}
    nothing = compare(study, [missing])
    assert nothing.scores == nothing.differences == {} and nothing.best(study.metrics[0]) is None


def test_a_metric_that_was_not_measured_is_named(finished):
    study, runs = finished
    wrong = dataclasses.replace(study, metrics=(Metric('eror'),))
    with pytest.raises(UserError, match="has no eror; did you mean 'error'"):
        compare(wrong, runs)


def test_a_variant_may_have_some_of_the_metrics(finished):
    study, runs = finished
    stage = dataclasses.replace(study.variants[1], metrics=('ratio',))
    staged = dataclasses.replace(study, variants=(study.variants[0], stage))
    comparison = compare(staged, [dataclasses.replace(run, variant=stage) if run.variant is study.variants[1] else run
                                  for run in runs])
    assert set(comparison.scores) == {('good', 'error'), ('good', 'ratio'), ('bad one', 'ratio')}
    assert ('bad one', 'error') not in comparison.differences
