import time

import pytest
import torch

from leokit.metrics import frechet_distance, frechet_terms
from leokit.metrics.fvd import FrechetTerms

# Made by the reference implementations named in the keys, on the features of conftest.py.
EXACT = {('singular', False): 148.45679579972625, ('singular', True): 149.13258677707927,
         ('full_rank', False): 2.7262669314400867, ('full_rank', True): 2.7342527714845772}
BY_MATRIX_ROOT = {('singular', False): (148.45676689038334, 148.45676650836415),  # StyleGAN-V, cd-fvd
                  ('singular', True): (149.1325867770787,),  # TF-GAN
                  ('full_rank', False): (2.726266931440191, 2.72626693144013),
                  ('full_rank', True): (2.7342527714846723,)}
TERMS = {'singular': (19.90271505, 440.11487028, 622.40251935, 466.98165444),
         'full_rank': (0.9057602, 25.62060006, 37.31635193, 30.55822263)}


@pytest.mark.parametrize('unbiased', [False, True])
def test_reference_values(reference, unbiased):
    name, real, fake = reference
    value = frechet_distance(fake, real, unbiased=unbiased)
    assert value == pytest.approx(EXACT[name, unbiased], abs=1e-6)
    for other in BY_MATRIX_ROOT[name, unbiased]:
        assert value == pytest.approx(other, abs=1e-3)


def test_reference_terms(reference):
    name, real, fake = reference
    terms = frechet_terms(real, fake)
    assert [float(term) for term in terms] == pytest.approx(TERMS[name], abs=1e-7)
    assert all(term.dtype == torch.float64 for term in terms)


def test_distance_of_a_set_to_itself_is_zero(reference):
    _, real, _ = reference
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


def test_order_and_rotation_do_not_matter(reference):
    _, real, fake = reference
    rotation = torch.linalg.qr(torch.randn(real.shape[1], real.shape[1], generator=torch.Generator().manual_seed(1),
                                           dtype=torch.float64)).Q
    value = frechet_distance(real, fake)
    assert frechet_distance(fake, real) == pytest.approx(value, rel=1e-10)
    assert frechet_distance(fake.double() @ rotation, real.double() @ rotation) == pytest.approx(value, rel=1e-9)


def test_gaussians_with_known_distance():
    points = torch.tensor([[-1.0], [1.0]])  # mean 0, variance 1
    assert frechet_distance(points, 3 * points + 5) == pytest.approx(25 + (3 - 1) ** 2)


def test_constant_features_have_the_distance_of_their_means():
    zeros, ones = torch.zeros(4, 3), torch.ones(5, 3)
    assert frechet_distance(zeros, ones) == pytest.approx(3)


def test_bad_input_is_refused():
    good = torch.randn(4, 3)
    with pytest.raises(ValueError, match='features_b must have shape'):
        frechet_distance(good, torch.randn(4, 2))
    with pytest.raises(ValueError, match='at least 2 rows'):
        frechet_distance(good[:1], good, unbiased=True)
    with pytest.raises(ValueError, match='NaN'):
        frechet_distance(good, good * float('nan'))


def test_published_size_takes_well_under_a_second():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2048, 400, generator=generator), torch.randn(2048, 400, generator=generator)
    frechet_distance(a[:500], b[:500])
    times = []
    for _ in range(3):
        start = time.process_time()  # what other programs do to the wall clock does not matter
        frechet_distance(a, b)
        times.append(time.process_time() - start)
    assert min(times) < 1


def test_the_fewest_rows():
    """Of two rows, 0 and 2, the variance is 1 over N and 2 over N - 1; of one row it is 0."""
    a, b = torch.tensor([[0.0], [2]]), torch.tensor([[5.0], [5]])
    assert frechet_distance(a, b, unbiased=True) == pytest.approx(16 + 2)
    assert frechet_distance(a, b[:1]) == pytest.approx(16 + 1)
    with pytest.raises(ValueError, match='features_b needs at least 1 rows, got 0'):
        frechet_distance(a, b[:0])
    a[0] = float('nan')
    with pytest.raises(ValueError, match='features_a hold NaN'):
        frechet_distance(a, b)


def test_a_distance_is_not_negative():
    zero, one = torch.zeros(()), torch.ones(())
    assert FrechetTerms(zero, one, one, one * 1.001).distance == 0
