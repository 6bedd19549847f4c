import pytest
import torch

from leokit.feature_extractors import temporal_summary
from leokit.metrics import frechet_distance
from leokit.registry import METRICS
from leokit.utils import UserError


def build(**options):
    return METRICS.build(dict(type='MotionStatistics', **options))


def walks(number, frames=16, seed=0, noise=0.0):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(number, frames, 4, generator=generator).cumsum(1) * 0.1
    return codes + noise * torch.randn(number, frames, 4, generator=generator)


def test_jitter_ratio_distinguishes_noisy_motion():
    real = walks(6)
    for generated, expected in ((walks(6, seed=1), pytest.approx(1, abs=0.3)), (walks(6, seed=1, noise=1.0), None)):
        metric = build()
        metric.process(None, [dict(generated=g, real=r) for g, r in zip(generated, real)])
        ratio = metric.evaluate(6)['motion/jitter_ratio']
        assert ratio == expected if expected is not None else ratio > 3


def test_frechet_of_codes_is_that_of_their_summaries():
    real, generated = walks(7), walks(7, seed=2)
    metric = build()
    for g, r in zip(generated, real):
        metric.process(None, [dict(generated=g, real=r)])
    expected = frechet_distance(temporal_summary(generated), temporal_summary(real))
    assert metric.evaluate(7)['motion/frechet-codes_dt'] == pytest.approx(expected, rel=1e-6)


def test_the_distance_of_residuals_does_not_depend_on_the_start():
    real = walks(7)
    shifted = real + 3 * torch.randn(7, 1, 4, generator=torch.Generator().manual_seed(3))
    metric = build()
    metric.process(None, [dict(generated=g, real=r) for g, r in zip(shifted, real)])
    result = metric.evaluate(7)
    assert result['motion/frechet-residuals_dt'] == pytest.approx(0, abs=1e-5)
    assert result['motion/frechet-codes_dt'] > 1
    assert result['motion/dispersion_ratio'] == pytest.approx(1) and result['motion/drift_ratio'] == pytest.approx(1)


def test_several_sequences_from_one_start_have_diversity():
    metric = build()
    metric.process(None, [dict(generated=walks(3)), dict(generated=walks(1).expand(3, -1, -1))])
    result = metric.evaluate(2)
    assert result['motion/diversity'] > 0 and 'motion/real_jitter' not in result
    assert result['motion/sequences'] == 2


def test_jerk_at_window_boundaries_is_compared_with_the_rest():
    codes = torch.zeros(1, 24, 2)
    codes[:, ::2] = 0.01
    codes[:, 12:] += 1
    metric = build(window_boundaries=[12])
    metric.process(None, [dict(generated=codes[0])])
    assert metric.evaluate(1)['motion/boundary_jerk_ratio'] > 5


def test_too_short_sequences_are_refused():
    with pytest.raises(UserError, match='more than 3 frames'):
        build().process(None, [dict(generated=torch.zeros(3, 4))])
