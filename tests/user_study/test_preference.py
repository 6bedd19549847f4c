"""Intervals of proportions: textbook values, and what clustering by rater does."""

import numpy as np
import pytest

from leokit.user_study import resample_raters, share_intervals, wilson_interval


@pytest.mark.parametrize('successes, count, low, high', [
    (8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)])
def test_wilson_equals_published_values(successes, count, low, high):
    # the last row: Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3
    assert wilson_interval(successes, count) == pytest.approx((low, high), abs=5e-5)


def test_wilson_solves_its_equation():
    low, high = wilson_interval(37.5, 60, 0.9)
    for end in (low, high):
        assert abs(37.5 / 60 - end) / np.sqrt(end * (1 - end) / 60) == pytest.approx(1.6449, abs=1e-3)


def test_wilson_covers_on_average():
    rng = np.random.default_rng(0)
    shares = rng.random(3000)
    ends = [wilson_interval(count, 30) for count in rng.binomial(30, shares).tolist()]
    covered = [low <= share <= high for (low, high), share in zip(ends, shares)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize('arguments', [(1, 0), (3, 2), (-1, 2), (1, 2, 1.0)])
def test_wilson_refuses_nonsense(arguments):
    with pytest.raises(ValueError, match='need 0 <='):
        wilson_interval(*arguments)


def two_methods(first_wins, count):
    """Wins of raters who compared two methods ``count`` times each."""
    wins = np.zeros((len(first_wins), 2, 2))
    wins[:, 0, 1], wins[:, 1, 0] = first_wins, count - np.asarray(first_wins)
    return wins


def test_resampling_keeps_raters_whole():
    samples = resample_raters(two_methods([0, 10, 10], 10), 500, np.random.default_rng(0))
    assert samples.shape == (500, 2, 2)
    assert (samples[:, 0, 1] + samples[:, 1, 0] == 30).all()
    assert set(samples[:, 0, 1].tolist()) == {0.0, 10.0, 20.0, 30.0}
    assert samples[:, 0, 1].mean() == pytest.approx(20, abs=1.5)


def test_interval_is_wide_where_raters_disagree_with_each_other():
    rng = np.random.default_rng(0)
    stubborn = two_methods([0] * 10 + [20] * 10, 20)  # every rater is sure, half of them each way
    alike = two_methods([10] * 20, 20)
    low, high = share_intervals(resample_raters(stubborn, 2000, rng))[:, 0, 1]
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 20), abs=0.06)  # as 20 answers, not 400
    assert share_intervals(resample_raters(alike, 2000, rng))[:, 0, 1] == pytest.approx([0.5, 0.5])


def test_shares_of_two_methods_mirror_each_other():
    ends = share_intervals(resample_raters(two_methods([3, 5, 9, 6], 10), 1000, np.random.default_rng(0)))
    assert ends[:, 0, 1] == pytest.approx(1 - ends[::-1, 1, 0])


def test_methods_that_were_never_compared_have_no_interval():
    wins = np.zeros((4, 3, 3))
    wins[:, 0, 1] = wins[0, 1, 2] = 1  # only one rater compared the second with the third
    ends = share_intervals(resample_raters(wins, 400, np.random.default_rng(0)))
    assert np.isnan(ends[:, 0, 2]).all() and (ends[:, 1, 2] == 1).all()
