import math

import pytest
import torch

from leokit.registry import METRICS

BLACK = torch.full((3, 8, 8), -1.0)  # the tiny extractor finds nothing in it


def sample(driving, reconstruction):
    return dict(driving=driving, reconstruction=reconstruction)


def build(**options):
    tiny = dict(type='TinyImageFeatures')
    return METRICS.build(dict(type='AnimationMetric', **{'landmarks': tiny, 'identity': tiny, **options}))


def test_distances_and_missing_rates():
    gray, light = torch.zeros(3, 8, 8), torch.full((3, 8, 8), 0.5)
    metric = build()
    metric.process(None, [sample(gray, light), sample(gray, BLACK)])
    metric.process(None, [sample(BLACK, gray), sample(gray, gray)])
    result = metric.evaluate(4)
    # Features are three means and three spreads: means 0.5 apart, spreads equal.
    assert result['animation/aed-tiny'] == pytest.approx((0.75**0.5 + 0) / 2)
    assert result['animation/aed-tiny_missing_rate'] == pytest.approx(1 / 3)
    assert result['animation/aed-tiny_undetected_rate'] == 0.25


def test_keypoints_are_pairs_of_numbers():
    metric = build(identity=None)
    metric.process(None, [sample(torch.zeros(3, 8, 8), torch.full((3, 8, 8), 0.5))])
    # Points (m0, m1), (m2, s0), (s1, s2): the first moves by (0.5, 0.5), the second by (0.5, 0), the third not at all.
    assert metric.evaluate(1) == pytest.approx({
        'animation/akd-tiny': (0.5 * 2**0.5 + 0.5 + 0) / 3, 'animation/akd-tiny_missing_rate': 0,
        'animation/akd-tiny_undetected_rate': 0})


def test_no_face_anywhere_is_no_score():
    metric = build(landmarks=None)
    metric.process(None, [sample(BLACK, BLACK)])
    assert math.isnan(metric.evaluate(1)['animation/aed-tiny'])
