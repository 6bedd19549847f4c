"""Strengths against published values and a slow twin; uncertainty; data that cannot be ranked."""

import numpy as np
import pytest

from leokit.user_study import comparison_groups, fit_strengths, rank_methods, standard_errors
from leokit.utils import UserError

# Agresti, Categorical Data Analysis (2nd edition, table 10.10): baseball games of 1987, row beat column.
# Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore.
BASEBALL = np.array([[0, 7, 9, 7, 7, 9, 11], [6, 0, 7, 5, 11, 9, 9], [4, 6, 0, 7, 7, 8, 12], [6, 8, 6, 0, 6, 7, 10],
                     [6, 2, 6, 7, 0, 7, 12], [4, 4, 5, 6, 6, 0, 6], [2, 4, 1, 3, 1, 7, 0]], dtype=float)
# Published strengths, Baltimore = 0 (Turner and Firth 2012, Bradley-Terry Models in R: The BradleyTerry2 Package).
STRENGTHS = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0]


def minorize_maximize(wins, steps=20000):
    """The slow twin: Hunter 2004, Annals of Statistics 32:384-406, algorithm (3)."""
    counts = wins + wins.T
    strengths = np.ones(len(wins))
    for _ in range(steps):
        strengths = wins.sum(axis=1) / (counts / (strengths[:, None] + strengths)).sum(axis=1)
        strengths /= strengths.sum()
    return np.log(strengths) - np.log(strengths).mean()


def random_wins(rng, methods, games=40):
    true = rng.normal(size=methods)
    chance = 1 / (1 + np.exp(true[None] - true[:, None]))
    upper = np.triu(rng.binomial(games, chance), 1)
    return (upper + np.tril(games - upper.T, -1)).astype(float), true - true.mean()


def test_equals_published_strengths():
    strengths = fit_strengths(BASEBALL)
    assert strengths - strengths[-1] == pytest.approx(STRENGTHS, abs=6e-5)
    assert strengths.sum() == pytest.approx(0, abs=1e-12)


def test_two_methods_have_the_log_odds():
    wins = np.array([[0, 30.0], [10, 0]])
    assert fit_strengths(wins) == pytest.approx([np.log(3) / 2, -np.log(3) / 2])
    # variance of log odds: 1/30 + 1/10; the strengths are plus and minus half of it
    assert standard_errors(wins, fit_strengths(wins)) == pytest.approx([np.sqrt(1 / 30 + 1 / 10) / 2] * 2)


def test_equals_minorize_maximize():
    rng = np.random.default_rng(0)
    for methods in (2, 3, 6):
        wins, _ = random_wins(rng, methods)
        assert fit_strengths(wins) == pytest.approx(minorize_maximize(wins), abs=1e-7)


def test_a_batch_of_data_sets_equals_one_at_a_time():
    rng = np.random.default_rng(1)
    wins = np.stack([random_wins(rng, 4)[0] + 0.5 for _ in range(4)])  # as many datasets as methods
    assert fit_strengths(wins) == pytest.approx(np.stack([fit_strengths(one) for one in wins]))


def test_extreme_but_finite_data_converge():
    wins = np.array([[0, 1e4, 0], [0.5, 0, 1e4], [0, 0.5, 0]])
    strengths = fit_strengths(wins)
    gap = np.log(1e4 / 0.5)
    assert strengths == pytest.approx([gap, 0, -gap], abs=1e-6)


def test_ties_as_halves_pull_together():
    clear, tied = np.array([[0, 9.0], [1, 0]]), np.array([[0, 9 + 5.0], [1 + 5, 0]])
    assert 0 < fit_strengths(tied)[0] < fit_strengths(clear)[0]
    assert fit_strengths(tied)[0] == pytest.approx(np.log(14 / 6) / 2)


def test_no_finite_maximum_is_refused():
    with pytest.raises(ValueError, match='no finite maximum'):
        fit_strengths(np.array([[0, 3.0, 2], [0, 0, 1], [0, 1, 0]]))  # the first never lost


def test_groups_follow_comparisons_through_others():
    wins = np.zeros((5, 5))
    wins[0, 3] = wins[3, 4] = wins[1, 2] = 1
    assert sorted(comparison_groups(wins)) == [[0, 3, 4], [1, 2]]


def raters(rng, true, count=30, games=6):
    """Wins per rater of raters who agree with the true strengths."""
    chance = 1 / (1 + np.exp(true[None] - true[:, None]))
    upper = np.triu(rng.binomial(games, np.broadcast_to(chance, (count, *chance.shape))), 1)
    return (upper + np.tril(games - upper.swapaxes(1, 2), -1)).astype(float)


def test_ranking_finds_the_order_and_its_uncertainty():
    true = np.array([-0.6, 0.9, -0.55, 0.25])
    ranking = rank_methods(raters(np.random.default_rng(0), true), 'abcd', np.random.default_rng(1))
    assert ranking.ranks[1] == 1 and ranking.ranks[3] == 2
    assert np.abs(ranking.strengths - true).max() < 0.3
    assert (ranking.low < ranking.strengths).all() and (ranking.strengths < ranking.high).all()
    # raters who agree are no clusters: both kinds of uncertainty agree
    assert (ranking.high - ranking.low) / (2 * 1.96) == pytest.approx(ranking.errors, rel=0.35)
    assert ranking.best[1] > 0.99 and ranking.best.sum() == pytest.approx(1)
    assert (ranking.rank_low[[0, 2]] == 3).all() and (ranking.rank_high[[0, 2]] == 4).all()
    assert not ranking.regularized


def test_equal_methods_share_a_rank():
    wins = np.zeros((3, 3, 3))
    wins[:, 0, 1] = wins[:, 1, 0] = wins[:, 0, 2] = wins[:, 1, 2] = 2
    wins[:, 2, 0] = wins[:, 2, 1] = 1
    assert rank_methods(wins, 'abc', np.random.default_rng(0), samples=50).ranks.tolist() == [1, 1, 3]


def test_a_method_that_always_wins_is_first_with_finite_strength():
    wins = np.zeros((4, 3, 3))
    wins[:, 0, 1] = wins[:, 0, 2] = 3
    wins[:, 1, 2], wins[:, 2, 1] = 2, 1
    ranking = rank_methods(wins, 'abc', np.random.default_rng(0), samples=100)
    assert ranking.regularized and ranking.regularized_samples == 1
    assert ranking.ranks.tolist() == [1, 2, 3] and np.isfinite(ranking.high).all()


def test_samples_without_finite_strengths_are_counted():
    wins = np.zeros((3, 2, 2))
    wins[:, 0, 1] = 2
    wins[0, 1, 0] = 1  # only one rater ever liked the second: many samples miss that rater
    ranking = rank_methods(wins, 'ab', np.random.default_rng(0), samples=2000)
    assert not ranking.regularized
    assert ranking.regularized_samples == pytest.approx((2 / 3) ** 3, abs=0.04)


def test_disconnected_methods_are_named():
    wins = np.zeros((2, 4, 4))
    wins[:, 0, 2] = wins[:, 2, 0] = wins[:, 1, 3] = 1
    with pytest.raises(UserError, match=r'ours, old \| theirs, other|theirs, other \| ours, old'):
        rank_methods(wins, ['ours', 'theirs', 'old', 'other'], np.random.default_rng(0))
