import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch
from torch.nn import functional

from leokit.metrics.sharpness import high_frequency_detail
from leokit.registry import METRICS


def run(reconstructions, driving, batch=5):
    metric = METRICS.build(dict(type='FrameDistanceMetric', extractor=dict(type='TinyImageFeatures')))
    samples = [dict(reconstruction=r, driving=d) for r, d in zip(reconstructions, driving)]
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start:start + batch])
    return metric.evaluate(len(samples))


def frames(count=12, seed=0):
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_frames_themselves_are_at_no_distance_and_as_sharp():
    values = run(frames(), frames())
    assert values['frames/sharpness'] == pytest.approx(1)
    assert values['frames/frechet-tiny'] == pytest.approx(0, abs=1e-6) and values['frames/kernel-tiny'] < 1e-6


def test_a_blur_is_further_away_and_less_sharp_and_the_order_of_the_frames_does_not_count():
    blurred = functional.avg_pool2d(frames(), 3, 1, 1)
    values = run(blurred, frames())
    assert values['frames/sharpness'] < 0.5 and values['frames/frechet-tiny'] > 1e-4
    turned = run(blurred.flip(0), frames())
    assert turned['frames/frechet-tiny'] == pytest.approx(values['frames/frechet-tiny'], rel=1e-4)


def test_detail_is_what_lies_above_the_mean_of_the_neighbors():
    assert not high_frequency_detail(torch.full((1, 3, 8, 8), 0.4)).gt(1e-6).any()
    spot = torch.zeros(1, 1, 5, 5)
    spot[0, 0, 2, 2] = 9.0
    found = high_frequency_detail(spot)[0, 0]
    assert found[2, 2] == pytest.approx(8) and found[1, 1] == pytest.approx(1) and found.sum() == pytest.approx(16)
