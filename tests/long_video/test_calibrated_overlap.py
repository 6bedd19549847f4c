"""Overlapping windows with a gain of slow motion, against closed forms."""

import math

import pytest
import torch
from long_video.small_models import N, T, build

from leokit.long_video import CalibratedOverlap, Overlap
from leokit.long_video.calibrated_overlap import slow_motion
from leokit.noise_schedulers import LinearNoiseScheduler, Prediction
from leokit.samplers import DDIMSampler, correct, generators_from_seeds
from leokit.utils import UserError

STD = torch.ones(1)


def wave(number, frames=32):
    """A cosine of period ``2 frames / number``, shape (1, frames, 1)."""
    return torch.cos(math.pi * number * (torch.arange(frames) + 0.5) / frames)[None, :, None]


@pytest.mark.parametrize('period, slowest_fast', [(12, 6), (16, 5), (64, 2), (1000, 1), (1, 32)])
def test_waves_of_the_period_or_longer_are_slow(period, slowest_fast):
    """Periods of the waves of 32 frames: infinite, 64, 32, 21.3, 16, 12.8, 10.7, ..."""
    for number in range(32):
        expected = wave(number) - wave(number)[:, :1] if number < slowest_fast else torch.zeros(1, 32, 1)
        assert torch.allclose(slow_motion(wave(number), period), expected, atol=1e-5)


def test_the_gain_leaves_the_first_code_and_fast_motion():
    correction = CalibratedOverlap(gain=1.5).correction(None, STD)
    window = 3 + 2 * wave(2) + wave(20)
    expected = window + wave(2) - wave(2)[:, :1]  # half of 2 (wave - its first value)
    assert torch.allclose(correction(window), expected, atol=1e-5)
    assert torch.equal(correction(window)[:, 0], window[:, 0])


def test_the_context_is_met_and_blended_after_the_gain():
    context = 5 * torch.rand(2, 4, 1)
    window = torch.randn(2, 16, 1)
    blended = CalibratedOverlap(4, gain=1.2).correction(context, STD)(window)
    amplified = CalibratedOverlap(4, gain=1.2).correction(None, STD)(window)
    assert torch.equal(blended[:, 0], context[:, 0]) and torch.equal(blended[:, 4:], amplified[:, 4:])
    weights = torch.tensor([1, 0.73828125, 0.3125, 0.05078125])[:, None]
    assert torch.allclose(blended[:, :4], weights * context + (1 - weights) * amplified[:, :4], atol=1e-6)


def test_without_gain_it_is_the_plain_overlap():
    assert CalibratedOverlap(gain=1.0).correction(None, STD) is None
    codes = []
    for strategy in (CalibratedOverlap(4, gain=1.0, ramp='cosine'), Overlap(4)):
        chunks = build().extend(torch.zeros(1, N), 20, generator=generators_from_seeds([1]), long_video=strategy)
        codes.append(torch.cat(list(chunks), dim=1))
    assert torch.equal(*codes)


def test_it_restores_the_spread_that_an_underestimating_denoiser_loses():
    """Slow motion of variance 4 along one known direction: the best denoiser is linear, its samples Gaussian."""
    scheduler, sampler = LinearNoiseScheduler(1000), DDIMSampler(50)
    direction = slow_motion(wave(1) + 0.5 * wave(3), 12)
    direction = direction / direction.norm()

    def samples(shrink, strategy):
        def denoise(x, t):
            signal, noise = scheduler.signal_level(t), scheduler.noise_level(t)
            gain = (4 * signal.sqrt() / (4 * signal + noise))[:, None, None]
            x0 = shrink * gain * (x * direction).sum((1, 2), keepdim=True) * direction
            return Prediction(x0, scheduler.eps_from_x0(x, x0, t))
        correction = strategy.correction(None, STD)
        corrected = denoise if correction is None else correct(denoise, correction, scheduler)
        noise = torch.randn(512, 32, 1, generator=torch.Generator().manual_seed(0))
        drawn = sampler.sample(corrected, noise, scheduler)
        return (drawn * direction).sum((1, 2))

    best, lost = samples(1.0, Overlap()), samples(0.97, Overlap())
    restored = samples(0.97, CalibratedOverlap(gain=1 / 0.97))
    excess = samples(1.0, CalibratedOverlap(gain=1.035))
    assert best.std() == pytest.approx(2, rel=0.1) and lost.std() < 0.95 * best.std()
    assert torch.allclose(restored, best, atol=1e-3)
    last = torch.tensor([19])  # the last of 50 trailing times
    ratio = float(scheduler.noise_level(last) / scheduler.signal_level(last))
    assert excess.std() / best.std() == pytest.approx(1.035 * (1 + 4 / ratio) ** 0.0175, rel=0.02)


def test_long_sequences_spread_more():
    def spread(strategy):
        codes = torch.cat(list(build().extend(torch.zeros(4, N), 80, generator=generators_from_seeds(range(4)),
                                              long_video=strategy)), dim=1)
        return codes.var(1).sum(-1).mean().sqrt()
    assert spread(CalibratedOverlap(4, gain=1.1, period=4)) > 1.05 * spread(CalibratedOverlap(4, gain=1.0))


@pytest.mark.parametrize('options', [dict(gain=0.0), dict(gain=math.nan), dict(gain=math.inf), dict(period=0.0)])
def test_values_out_of_range(options):
    with pytest.raises(UserError, match='must be above 0 and finite'):
        CalibratedOverlap(**options)


def test_a_window_keeps_its_length_and_frames_beyond_the_waves():
    assert slow_motion(torch.randn(2, T, N), 1e-3).shape == (2, T, N)
