import math

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch

from leokit.evaluation.runner_metrics import chance_error, mean_distance_between_people
from leokit.metrics import code_agreement
from leokit.registry import METRICS
from leokit.utils import UserError

B, K, N = 40, 3, 4


def codes(seed=0, *shape):
    return torch.randn(*(shape or (B, N)), generator=torch.Generator().manual_seed(seed)) * torch.tensor([1, 3, 0.1, 2])


def frames(seed, *shape):
    """Pictures of one color each."""
    return torch.rand(*shape, 3, 1, 1, generator=torch.Generator().manual_seed(seed)).expand(*shape, 3, 4, 4) * 2 - 1


def measure(asked, found, real_motion=None, generated=None, people=None, **options):
    metric = METRICS.build(dict(type='StartFrameAgreement', extractors=[dict(type='TinyImageFeatures')], **options))
    real, generated = frames(1, B), frames(2, *found.shape[:2]) if generated is None else generated
    rows = [dict(motion=asked[i], generated_motion=found[i], real=real[i], generated=generated[i],
                 real_motion=(asked if real_motion is None else real_motion)[i],
                 identity=f'p{i}' if people is None else people[i]) for i in range(B)]
    for batch in (rows[:7], rows[7:]):
        metric.process(None, batch)
    return {key.removeprefix('start_frame/'): value for key, value in metric.evaluate(B).items()}


def test_chance_is_the_mean_over_all_other_codes():
    asked, found = codes(0), codes(1, B, K, N)
    others = [code_agreement(asked[:, None].roll(shift, 0).expand_as(found), found).total_error ** 2
              for shift in range(1, B)]
    assert chance_error(asked, found) == pytest.approx((sum(others) / len(others)) ** 0.5, rel=1e-9)
    with pytest.raises(ValueError, match='at least two codes'):
        chance_error(asked[:1], found[:1])


def test_frames_that_obey_and_frames_that_do_not():
    asked = codes()
    obeyed = measure(asked, asked[:, None].expand(B, K, N), real_motion=asked + 0.1)
    assert obeyed['distance'] == 0 and obeyed['r2'] == obeyed['r2_median'] == obeyed['r2_03'] == 1
    assert obeyed['chance_distance'] == pytest.approx(2 ** 0.5, rel=0.05) and obeyed['samples'] == B
    assert 0.01 < obeyed['real_distance'] < 0.2
    ignored = measure(asked, codes(1, B, K, N))
    assert ignored['distance'] == pytest.approx(ignored['chance_distance'], rel=0.1) and ignored['r2'] < -0.5
    alike = measure(asked, asked.mean(0).expand(B, K, N))
    assert alike['distance'] == pytest.approx(1) and alike['r2'] == pytest.approx(0, abs=1e-6)


def test_a_dimension_that_does_not_move_says_nothing():
    asked = codes() * torch.tensor([1.0, 1, 0, 1])
    result = measure(asked, asked[:, None].expand(B, K, N) + torch.tensor([0, 0, 1.0, 0]))
    assert result['r2_02'] != result['r2_02'] and result['r2_median'] == 1


def test_variety_is_relative_to_different_people():
    asked = codes()
    found = asked[:, None].expand(B, K, N)
    assert measure(asked, found)['variety-tiny'] == pytest.approx(1, abs=0.1)
    same = frames(2, B, 1).expand(B, K, 3, 4, 4)
    assert measure(asked, found, generated=same)['variety-tiny'] == 0
    assert 'variety-tiny' not in measure(asked, found[:, :1])


def test_the_distance_of_people_leaves_out_the_same_one_and_the_undetected():
    features = torch.tensor([[0.0], [1.0], [5.0], [torch.nan]])
    assert mean_distance_between_people(features, ['a', 'a', 'b', 'c']) == pytest.approx(4.5)
    assert math.isnan(mean_distance_between_people(features[:2], ['a', 'a']))


def test_an_unknown_extractor_is_refused():
    with pytest.raises((UserError, KeyError)):
        METRICS.build(dict(type='StartFrameAgreement', extractors=[dict(type='Nothing')]))
