import math

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch

from leokit.evaluation.runner_metrics import chance_error, mean_distance_between_identities
from leokit.metrics import motion_code_consistency
from leokit.registry import METRICS
from leokit.utils import UserError

B, K, N = 40, 3, 4


def codes(seed=0, *shape):
    return torch.randn(*(shape or (B, N)), generator=torch.Generator().manual_seed(seed)) * torch.tensor([1, 3, 0.1, 2])


def frames(seed, *shape):
    """Images of a single color."""
    return torch.rand(*shape, 3, 1, 1, generator=torch.Generator().manual_seed(seed)).expand(*shape, 3, 4, 4) * 2 - 1


def measure(target, measured, real_motion=None, generated=None, identities=None, **options):
    metric = METRICS.build(dict(type='StartFrameAgreement', extractors=[dict(type='TinyImageFeatures')], **options))
    real, generated = frames(1, B), frames(2, *measured.shape[:2]) if generated is None else generated
    rows = [dict(motion=target[i], generated_motion=measured[i], real=real[i], generated=generated[i],
                 real_motion=(target if real_motion is None else real_motion)[i],
                 identity=f'p{i}' if identities is None else identities[i]) for i in range(B)]
    for batch in (rows[:7], rows[7:]):
        metric.process(None, batch)
    return {key.removeprefix('start_frame/'): value for key, value in metric.evaluate(B).items()}


def test_chance_is_the_mean_over_all_other_codes():
    target, measured = codes(0), codes(1, B, K, N)
    others = [motion_code_consistency(target[:, None].roll(shift, 0).expand_as(measured), measured).total_error ** 2
              for shift in range(1, B)]
    assert chance_error(target, measured) == pytest.approx((sum(others) / len(others)) ** 0.5, rel=1e-9)
    with pytest.raises(ValueError, match='at least two codes'):
        chance_error(target[:1], measured[:1])


def test_frames_that_follow_their_code_and_frames_that_ignore_it():
    target = codes()
    accurate = measure(target, target[:, None].expand(B, K, N), real_motion=target + 0.1)
    assert accurate['distance'] == 0 and accurate['r2'] == accurate['r2_median'] == accurate['r2_03'] == 1
    assert accurate['chance_distance'] == pytest.approx(2 ** 0.5, rel=0.05) and accurate['samples'] == B
    assert 0.01 < accurate['real_distance'] < 0.2
    ignored = measure(target, codes(1, B, K, N))
    assert ignored['distance'] == pytest.approx(ignored['chance_distance'], rel=0.1) and ignored['r2'] < -0.5
    alike = measure(target, target.mean(0).expand(B, K, N))
    assert alike['distance'] == pytest.approx(1) and alike['r2'] == pytest.approx(0, abs=1e-6)


def test_a_constant_dimension_has_no_r2():
    target = codes() * torch.tensor([1.0, 1, 0, 1])
    result = measure(target, target[:, None].expand(B, K, N) + torch.tensor([0, 0, 1.0, 0]))
    assert result['r2_02'] != result['r2_02'] and result['r2_median'] == 1


def test_variety_is_relative_to_different_identities():
    target = codes()
    measured = target[:, None].expand(B, K, N)
    assert measure(target, measured)['variety-tiny'] == pytest.approx(1, abs=0.1)
    same = frames(2, B, 1).expand(B, K, 3, 4, 4)
    assert measure(target, measured, generated=same)['variety-tiny'] == 0
    assert 'variety-tiny' not in measure(target, measured[:, :1])


def test_the_distance_between_identities_ignores_equal_and_undetected_ones():
    features = torch.tensor([[0.0], [1.0], [5.0], [torch.nan]])
    assert mean_distance_between_identities(features, ['a', 'a', 'b', 'c']) == pytest.approx(4.5)
    assert math.isnan(mean_distance_between_identities(features[:2], ['a', 'a']))


def test_an_unknown_extractor_is_refused():
    with pytest.raises((UserError, KeyError)):
        METRICS.build(dict(type='StartFrameAgreement', extractors=[dict(type='Nothing')]))
