import pytest
import torch

from leokit.metrics import frechet_distance
from leokit.registry import METRICS
from leokit.utils import UserError


def measure(generated, real, names=None):
    metric = METRICS.build(dict(type='CodeDistribution'))
    names = names or ['video'] * len(real)
    rows = [dict(generated=g, real=r, name=name) for g, r, name in zip(generated, real, names)]
    for batch in (rows[:7], rows[7:]):
        metric.process(None, batch)
    return metric.evaluate(len(rows))


def codes(seed, number=200):
    return torch.randn(number, 3, generator=torch.Generator().manual_seed(seed)) * torch.tensor([1.0, 2.0, 0.1])


def test_the_distance_is_that_of_the_sets_in_any_order():
    generated, real = codes(0), codes(1)
    result = measure(generated, real)
    assert result['codes/frechet'] == pytest.approx(frechet_distance(generated, real), rel=1e-6)
    variance = float(real.var(0, correction=0).sum())
    assert result['codes/frechet_relative'] == pytest.approx(result['codes/frechet'] / variance, rel=1e-5)
    assert measure(real.flip(0), real)['codes/frechet'] == pytest.approx(0, abs=1e-6)
    assert result['codes/samples'] == 200 and 'codes/real_frechet_relative' not in result


def test_one_point_and_a_shrunk_set_are_distinguished_from_real_codes():
    real = codes(1)
    point = measure(real.mean(0).expand_as(real), real)
    assert point['codes/frechet_relative'] == pytest.approx(1) and point['codes/std_ratio'] == pytest.approx(0)
    assert measure(real / 2, real)['codes/std_ratio'] == pytest.approx(0.5)


def test_real_videos_set_the_scale():
    real = codes(1)
    names = ['a' if row < 100 else 'b' for row in range(200)]
    alike = measure(real, real, names)['codes/real_frechet_relative']
    apart = measure(real, torch.cat([real[:100] + 5, real[100:]]), names)['codes/real_frechet_relative']
    assert alike < 0.05 < apart
    assert measure(torch.zeros(10, 3), torch.zeros(10, 3)).keys() == {'codes/frechet', 'codes/samples'}


def test_sequences_are_refused():
    with pytest.raises(UserError, match='single codes'):
        measure(torch.zeros(10, 4, 3), torch.zeros(10, 4, 3))
