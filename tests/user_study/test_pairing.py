"""The design is balanced: methods, videos, left and right, coverage, positions of the checks."""

from collections import Counter

import numpy as np
import pytest

from leokit.user_study import sample_forms, sample_pool
from leokit.utils import UserError


def rng(seed=0):
    return np.random.default_rng(seed)


def listing(*names):
    return [f'clip_{name}' for name in names]


def test_common_names_are_paired_and_others_not_used():
    names = {'a': listing(0, 1, 2, 7), 'b': listing(1, 2, 0, 9)}
    pool = sample_pool(names, 3, rng())
    assert {pair.names for pair in pool} == {(name, name) for name in listing(0, 1, 2)}


def test_methods_are_compared_equally_often():
    names = {method: listing(*range(10)) for method in 'abcd'}
    counts = Counter(frozenset(pair.methods) for pair in sample_pool(names, 20, rng()))
    assert len(counts) == 6 and max(counts.values()) - min(counts.values()) == 1


def test_a_small_pool_shows_many_videos():
    names = {method: listing(*range(9)) for method in 'abc'}
    assert len({pair.names for pair in sample_pool(names, 9, rng())}) == 9


def test_unmatched_videos_are_paired_at_random_without_repeats():
    names = {'a': listing(*range(4)), 'b': [f'other_{i}' for i in range(6)]}
    pool = sample_pool(names, 24, rng())
    unordered = {frozenset(zip(pair.methods, pair.names)) for pair in pool}
    assert len(unordered) == 24  # all there are
    for begin in range(0, 24, 4):  # every video of the smaller folder once in each round
        assert len({dict(zip(pair.methods, pair.names))['a'] for pair in pool[begin:begin + 4]}) == 4


def test_which_method_comes_first_is_random():
    names = {'a': listing(*range(200)), 'b': listing(*range(200))}
    first = Counter(pair.methods[0] for pair in sample_pool(names, 200, rng()))
    assert 60 < first['a'] < 140


def test_too_many_pairs_are_refused():
    with pytest.raises(UserError, match='allow 3 different pairs, 4'):
        sample_pool({'a': listing(0, 1, 2), 'b': listing(0, 1, 2)}, 4, rng())


@pytest.mark.parametrize('pool, per_rater, checks', [(6, 6, 2), (9, 6, 3), (50, 7, 0), (5, 1, 4), (3, 2, 1)])
def test_forms_cover_the_pool_evenly(pool, per_rater, checks):
    forms = sample_forms(pool, per_rater, checks, rng())
    assert len(forms) >= 32
    shown = Counter(trial for form in forms for trial, _ in form)
    pairs = [shown[trial] for trial in range(pool)]
    assert max(pairs) - min(pairs) <= 2 and min(pairs) > 0
    for form in forms:
        trials = [trial for trial, _ in form]
        assert len(set(trials)) == len(trials) == per_rater + checks
        assert set(range(pool, pool + checks)) < set(trials)
        assert trials[0] < pool  # a form never begins with a check


def test_left_and_right_are_balanced_within_and_between_forms():
    forms = sample_forms(10, 10, 4, rng())
    for even, odd in zip(forms[::2], forms[1::2]):
        assert sum(flipped for trial, flipped in even if trial < 10) == 5
        assert sum(flipped for trial, flipped in even if trial >= 10) == 2
        assert dict(even) == {trial: not flipped for trial, flipped in odd}


def test_orders_differ_and_checks_are_spread():
    forms = sample_forms(12, 12, 3, rng())
    assert len({tuple(form) for form in forms}) == len(forms)
    places = np.array([[i for i, (trial, _) in enumerate(form) if trial >= 12] for form in forms])
    assert len({tuple(row) for row in places}) > 5
    assert (np.diff(places) > 0).all() and (places[:, 0] <= 5).all() and (places[:, 2] >= 9).all()


def test_the_seed_decides():
    names = {method: listing(*range(10)) for method in 'abc'}
    assert sample_pool(names, 9, rng(1)) == sample_pool(names, 9, rng(1)) != sample_pool(names, 9, rng(2))
    assert sample_forms(9, 5, 2, rng(1)) == sample_forms(9, 5, 2, rng(1)) != sample_forms(9, 5, 2, rng(2))


def test_a_rater_cannot_see_more_than_the_pool():
    with pytest.raises(UserError, match='--pairs-per-rater 4'):
        sample_forms(3, 4, 0, rng())
