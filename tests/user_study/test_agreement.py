"""Agreement against published examples and by hand."""

import numpy as np
import pytest

from leokit.user_study import fleiss_kappa, krippendorff_alpha, pair_agreement

# A worked example of Fleiss' kappa in wide use: 14 raters, 10 items, 5 categories, kappa 0.210.
FLEISS = np.array([[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
                   [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]])
# A worked example of Krippendorff's alpha in wide use: three raters, 15 units, gaps; nominal alpha 0.691.
KRIPPENDORFF = ['*****3412113 3*3'.replace(' ', ''), '1*213343*******', '**21344*2113 3*4'.replace(' ', '')]


def counts_of(ratings, categories='1234'):
    return np.array([[column.count(category) for category in categories] for column in zip(*ratings)])


def test_fleiss_equals_the_published_value():
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)


def test_krippendorff_equals_the_published_value():
    assert krippendorff_alpha(counts_of(KRIPPENDORFF)) == pytest.approx(0.691, abs=5e-4)


def test_two_raters_by_hand():
    counts = np.array([[2, 0], [2, 0], [1, 1], [0, 2]])  # three of four agree; 5 and 3 of 8 ratings
    assert pair_agreement(counts) == 0.75
    chance = (5 / 8) ** 2 + (3 / 8) ** 2
    assert fleiss_kappa(counts) == pytest.approx((0.75 - chance) / (1 - chance))
    assert krippendorff_alpha(counts) == pytest.approx(1 - (8 - 1) * 2 / (2 * 5 * 3))


@pytest.mark.parametrize('measure', [fleiss_kappa, krippendorff_alpha])
def test_perfect_agreement_is_one_and_chance_is_zero(measure):
    assert measure(np.array([[5, 0, 0], [0, 5, 0], [0, 0, 5]])) == pytest.approx(1)
    blind = np.random.default_rng(0).multinomial(20, [0.5, 0.4, 0.1], size=2000)
    assert measure(blind) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize('measure', [fleiss_kappa, krippendorff_alpha, pair_agreement])
def test_items_with_one_rating_are_ignored(measure):
    counts = np.array([[3, 1], [1, 3], [4, 0]])
    assert measure(np.vstack([counts, [[1, 0], [0, 0], [0, 1]]])) == measure(counts)


@pytest.mark.parametrize('counts', [np.zeros((3, 2)), np.array([[1, 0], [0, 1]]), np.zeros((0, 3))])
def test_undefined_is_nan(counts):
    assert np.isnan([fleiss_kappa(counts), krippendorff_alpha(counts), pair_agreement(counts)]).all()


def test_one_category_for_everything_is_nan_though_raters_agree():
    counts = np.array([[4, 0], [4, 0]])
    assert np.isnan([fleiss_kappa(counts), krippendorff_alpha(counts)]).all() and pair_agreement(counts) == 1
