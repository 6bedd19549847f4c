import math

import pytest
import torch

from leokit.evaluation.uncertainty import jackknife_std, score_of_trials


def test_jackknife_of_a_mean_is_its_standard_error():
    samples = torch.randn(200, generator=torch.Generator().manual_seed(0))
    expected = float(samples.std()) / 200**0.5
    assert jackknife_std(lambda x: float(x.mean()), samples, groups=200) == pytest.approx(expected, rel=1e-5)
    assert jackknife_std(lambda x: float(x.mean()), samples) == pytest.approx(expected, rel=0.6)


def test_variances_of_two_sets_add():
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(100, generator=generator), 3 * torch.randn(100, generator=generator)

    def difference(x, y):
        return float(x.mean() - y.mean())

    expected = math.sqrt(float(a.var() / 100 + b.var() / 100))
    assert jackknife_std(difference, a, b, groups=100) == pytest.approx(expected, rel=0.2)


def test_sets_that_are_too_small_have_no_jackknife():
    assert jackknife_std(lambda x: 0.0, torch.zeros(2)) is None
    assert jackknife_std(lambda x, y: 0.0, torch.zeros(50), torch.zeros(1)) is None
    assert jackknife_std(lambda x: float(x.mean()), torch.zeros(4)) == 0


def test_trials_that_differ_give_their_standard_deviation():
    score = score_of_trials([1.0, 2.0, 3.0], True, lambda: 99.0)
    assert (score.value, score.std, score.std_of, score.values) == (2, 1, 'trials', (1.0, 2.0, 3.0))


def test_one_trial_uses_the_jackknife_if_possible():
    assert score_of_trials([4.0], True, lambda: 0.25).std_of == 'jackknife'
    assert score_of_trials([4.0, 4.0], False, lambda: 0.25).std == 0.25
    none = score_of_trials([4.0], False, lambda: None)
    assert (none.value, none.std, none.std_of) == (4, None, 'none')


def test_a_trial_without_a_value_gives_no_score():
    assert score_of_trials([1.0, float('nan')], True, lambda: 0.1).value is None
    assert score_of_trials([], True, lambda: 0.1).value is None


def test_ten_contiguous_groups_by_hand():
    """Twenty samples: pairs are left out. Three samples: one at a time; of two sets the smaller decides."""
    samples = torch.arange(20.0) ** 2
    values = [(float(samples.sum()) - float(samples[k:k + 2].sum())) / 18 for k in range(0, 20, 2)]
    mean = sum(values) / 10
    expected = math.sqrt(0.9 * sum((value - mean) ** 2 for value in values))
    assert jackknife_std(lambda x: float(x.mean()), samples) == pytest.approx(expected)
    seen = []
    jackknife_std(lambda x, y: seen.append((x.tolist(), y.tolist())) or 0.0, torch.arange(3.0), torch.arange(6.0))
    assert seen == [([1, 2], [2, 3, 4, 5]), ([0, 2], [0, 1, 4, 5]), ([0, 1], [0, 1, 2, 3])]
    assert jackknife_std(lambda x: 0.0, torch.zeros(3)) == 0 and jackknife_std(lambda x: 0.0, torch.zeros(1)) is None


@pytest.mark.parametrize('sizes, groups, possible', [
    ((4,), 2, True), ((3,), 2, False), ((3,), 3, True), ((5,), 2, True), ((50, 2), 10, False), ((3, 50), 10, True),
    ((10,), 1, False), ((0,), 10, False), ((10, 0), 10, False)])
def test_two_samples_remain_without_the_largest_group(sizes, groups, possible):
    std = jackknife_std(lambda *sets: 1.0, *map(torch.zeros, sizes), groups=groups)
    assert std == (0 if possible else None)
