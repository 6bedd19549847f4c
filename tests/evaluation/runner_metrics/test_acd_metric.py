import math

import pytest
import torch

from leokit.registry import METRICS


def build(**options):
    return METRICS.build(dict(type='AverageContentDistance', extractor=dict(type='TinyImageFeatures'), **options))


def video(*levels):
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def test_values_of_generated_and_real_videos():
    metric = build()
    metric.process(None, [dict(generated=video(0.0, 0.3, 0.6), real=video(0.1, 0.1, 0.1)),
                          dict(generated=video(0.2, 0.2, 0.2), real=video(0.1, 0.1, 0.4))])
    result = metric.evaluate(2)
    assert result['video/acd-tiny'] == pytest.approx((0.3 + 0.3 + 0.6) / 3 * 3**0.5 / 2, rel=1e-5)
    assert result['video/real_acd-tiny'] == pytest.approx((0 + 0.3 + 0.3) / 3 * 3**0.5 / 2, rel=1e-5)
    assert result['video/acd-tiny_missing_rate'] == 0


def test_frames_without_detection_are_counted():
    metric = build()
    metric.process(None, [dict(generated=video(0.0, -1.0, 0.3)), dict(generated=video(-1.0, -1.0, 0.5))])
    result = metric.evaluate(2)
    assert result['video/acd-tiny'] == pytest.approx(0.3 * 3**0.5, rel=1e-5)  # the second video has no pair
    assert result['video/acd-tiny_missing_rate'] == pytest.approx(0.5)
    assert not any(key.startswith('video/real') for key in result)


def test_no_detection_at_all_is_no_score():
    metric = build()
    metric.process(None, [dict(generated=video(-1.0, -1.0))])
    assert math.isnan(metric.evaluate(1)['video/acd-tiny'])


def test_values_of_real_videos_are_computed_once():
    metric = build(cache_real=True)
    seen = []
    metric.extractor.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    for _ in range(2):
        metric.process(None, [dict(generated=video(0.0, 0.3), real=video(0.1, 0.4), name='a', start=0)])
        assert metric.evaluate(1)['video/real_acd-tiny'] == pytest.approx(0.3 * 3**0.5, rel=1e-5)
    assert sum(seen) == 2 + 2 + 2  # frames: generated twice, real once
