import numpy as np
import pytest
import torch

import leokit.metrics.kvd as kernel_module
from leokit.metrics import kernel_distance, polynomial_mmd

# Made by the reference implementation (StyleGAN-V) and by plain sums, on the features of conftest.py.
ALL = {'singular': (0.20733716577383277, 0.36134031254884924), 'full_rank': (0.2493111358611051, 0.3350185279119815)}
SUBSETS = {('singular', 100, 1000): 0.2069098216275412, ('singular', 50, 100): 0.2069877657410013,
           ('full_rank', 100, 1000): 0.24766273047342946, ('full_rank', 50, 100): 0.23223701305503144}
REPORTED = {('singular', 100, 1000): 206.9099396467209, ('full_rank', 50, 100): 232.23701119422913}  # times 1000, f32


def test_reference_values_over_all_samples(reference):
    name, real, fake = reference
    unbiased, biased = ALL[name]
    assert polynomial_mmd(fake, real) == pytest.approx(unbiased, abs=1e-12)
    assert polynomial_mmd(fake, real, unbiased=False) == pytest.approx(biased, abs=1e-12)


@pytest.mark.parametrize(('subsets', 'size'), [(100, 1000), (50, 100)])
def test_reference_values_over_subsets(reference, subsets, size):
    name, real, fake = reference
    distance = kernel_distance(fake, real, subsets=subsets, subset_size=size, seed=0)
    assert distance.value == pytest.approx(SUBSETS[name, subsets, size], abs=1e-12)
    assert distance.std > 0
    if (name, subsets, size) in REPORTED:
        assert 1000 * distance.value == pytest.approx(REPORTED[name, subsets, size], abs=1e-3)


def test_blocks_do_not_change_the_value(reference, monkeypatch):
    _, real, fake = reference
    whole = polynomial_mmd(fake, real)
    monkeypatch.setattr(kernel_module, 'BLOCK_ELEMENTS', 1000)
    assert polynomial_mmd(fake, real) == pytest.approx(whole, abs=1e-12)


def test_hand_computed_value():
    # d = 1, kernel (xy + 1)^3: k(0, .) = 1, k(1, 1) = 8
    zeros, ones = torch.zeros(2, 1), torch.ones(3, 1)
    assert polynomial_mmd(zeros, ones) == pytest.approx(1 + 8 - 2 * 1)


def test_the_default_is_100_subsets_of_1000_with_seed_0():
    """The same subsets in closed form, of features of one dimension: (xy + 1)^3 = x³y³ + 3 x²y² + 3 xy + 1."""
    def kernel_sum(x, y):
        return sum(factor * (x**power).sum() * (y**power).sum() for power, factor in ((3, 1), (2, 3), (1, 3), (0, 1)))

    a, b = np.random.RandomState(1).standard_normal((2, 1002))
    random, values = np.random.RandomState(0), []
    for _ in range(100):
        x, y = (features[random.choice(1002, 1000, replace=False)] for features in (a, b))
        within = [kernel_sum(z, z) - ((z * z + 1)**3).sum() for z in (x, y)]
        values.append(sum(within) / (1000 * 999) - 2 * kernel_sum(x, y) / 1000**2)
    distance = kernel_distance(*(torch.from_numpy(features)[:, None] for features in (a, b)))
    assert distance.value == pytest.approx(np.mean(values), abs=1e-9)
    assert distance.std == pytest.approx(np.std(values), rel=1e-6)


def test_equal_distributions_are_near_zero_and_the_seed_matters():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(400, 8, generator=generator), torch.randn(400, 8, generator=generator)
    assert abs(polynomial_mmd(a, b)) < 0.02
    first = kernel_distance(a, b, subsets=5, subset_size=50, seed=1)
    assert first == kernel_distance(a, b, subsets=5, subset_size=50, seed=1)
    assert first.value != kernel_distance(a, b, subsets=5, subset_size=50, seed=2).value


def test_bad_input_is_refused():
    good = torch.randn(4, 3)
    with pytest.raises(ValueError, match='at least 2 rows'):
        polynomial_mmd(good[:1], good)
    with pytest.raises(ValueError, match='subsets must be at least 1'):
        kernel_distance(good, good, subsets=0)
    with pytest.raises(ValueError, match='NaN'):
        polynomial_mmd(good, good * float('nan'))


def test_the_fewest_rows_and_subsets():
    """(xy + 1)³ of features of one dimension: 0, 1 and 2, 3."""
    one, other = torch.tensor([[0.0]]), torch.tensor([[2.0]])
    assert polynomial_mmd(one, other, unbiased=False) == pytest.approx(1 + 125 - 2)
    with pytest.raises(ValueError, match='at least 1 rows'):
        polynomial_mmd(one[:0], other, unbiased=False)
    a, b = torch.tensor([[0.0], [1]]), torch.tensor([[2.0], [3]])
    expected = 1 + 343 - 2 * (1 + 1 + 27 + 64) / 4  # k(0, 1), k(2, 3), and the four across
    assert polynomial_mmd(a, b) == pytest.approx(expected)
    assert kernel_distance(a, b, subsets=1, subset_size=2).value == pytest.approx(expected)
    with pytest.raises(ValueError, match='subset_size at least 2, got 1 and 1'):
        kernel_distance(a, b, subsets=1, subset_size=1)


@pytest.mark.parametrize('where', [0, 1])
def test_one_bad_entry_is_refused(where):
    sets = [torch.zeros(3, 2), torch.zeros(3, 2)]
    sets[where][1, 1] = float('inf')
    with pytest.raises(ValueError, match='NaN or infinity'):
        polynomial_mmd(*sets)
