"""Filters of codes: the recursions of the Kalman smoother and the one-euro filter as published, and means by hand."""

import math

import numpy as np
import pytest
import torch

from leokit.inference.smoothing import OneEuroFilter, check_smoothing, kalman_smooth, moving_average
from leokit.utils import UserError


@pytest.fixture
def codes():
    return torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).cumsum(0)


def rts(z, process, observation):
    """The textbook recursion for a random walk in noise, started at the first observation with its variance."""
    means, variances, predicted = [z[0]], [observation], [math.inf]
    for value in z[1:]:
        variance = variances[-1] + process
        gain = variance / (variance + observation)
        predicted.append(variance)
        means.append(means[-1] + gain * (value - means[-1]))
        variances.append((1 - gain) * variance)
    smoothed = [means[-1]]
    for t in range(len(z) - 2, -1, -1):
        back = variances[t] / predicted[t + 1]
        smoothed.insert(0, means[t] + back * (smoothed[0] - means[t]))
    return smoothed


def test_the_kalman_smoother_is_the_two_pass_recursion(codes):
    seconds, fps = 0.08, 25
    decay = math.exp(-1 / (seconds * fps))
    smoothed = kalman_smooth(codes, seconds, fps)
    for entry in range(3):
        expected = rts(codes[:, entry].double().tolist(), (1 - decay) ** 2 / decay, 1.0)
        assert np.allclose(smoothed[:, entry], expected, atol=1e-5)
    assert torch.equal(kalman_smooth(codes, 0, fps), codes)


@pytest.mark.parametrize('fps', [25, 60])
def test_the_weight_of_a_frame_falls_with_the_time_constant(fps):
    impulse = torch.zeros(401, 1, dtype=torch.float64)
    impulse[200] = 1
    response = kalman_smooth(impulse, 0.2, fps)[:, 0]
    assert float(response.sum()) == pytest.approx(1)
    for distance in (1, 3, 10):  # in seconds, so that the rate does not matter
        assert float(response[200 + distance] / response[200]) == pytest.approx(math.exp(-distance / fps / 0.2))
        assert float(response[200 - distance]) == pytest.approx(float(response[200 + distance]))


def test_a_constant_is_not_changed_and_motion_is_not_delayed():
    still = torch.full((9, 2), 3.0)
    assert torch.allclose(kalman_smooth(still, 1.0, 25), still)
    ramp = torch.arange(200.0)[:, None]
    assert torch.allclose(kalman_smooth(ramp, 0.1, 25)[50:150], ramp[50:150], atol=1e-3)


def one_euro(values, rate, cutoff, beta):
    """Algorithm 1 of the paper, for one number at a time."""
    def alpha(frequency):
        tau = 1 / (2 * math.pi * frequency)
        return 1 / (1 + tau * rate)
    out, speed, last = [values[0]], 0.0, values[0]
    for value in values[1:]:
        speed += alpha(1.0) * ((value - last) * rate - speed)
        weight = alpha(cutoff + beta * abs(speed))
        out.append(weight * value + (1 - weight) * out[-1])
        last = value
    return out


def test_the_one_euro_filter_is_that_of_the_paper(codes):
    seconds, beta = 0.1, 0.25
    filtered = OneEuroFilter(seconds, 30, speed_coefficient=beta)
    result = torch.stack([filtered(code) for code in codes.double()])
    for entry in range(3):
        expected = one_euro(codes[:, entry].double().tolist(), 30, 1 / (2 * math.pi * seconds), beta)
        assert np.allclose(result[:, entry], expected, atol=1e-9)


def test_at_rest_the_one_euro_filter_is_a_low_pass_of_its_time_constant():
    filtered = OneEuroFilter(0.5, 1000, speed_coefficient=0)
    filtered(torch.tensor(0.0))
    for _ in range(500):  # 0.5 s after a step from 0 to 1
        value = filtered(torch.tensor(1.0))
    assert float(value) == pytest.approx(1 - math.exp(-1), abs=2e-3)


@pytest.mark.parametrize('seconds, half', [(0.2, 2), (0.01, 0), (100.0, 40)])
def test_the_moving_average_is_that_of_a_loop(codes, seconds, half):
    averages = moving_average(codes, seconds, 20)
    for t in range(len(codes)):
        assert torch.allclose(averages[t], codes[max(0, t - half):t + half + 1].mean(0), atol=1e-5)


@pytest.mark.parametrize('arguments, sentence', [
    ((-1, 'kalman'), '0 seconds or more'), ((float('nan'), 'kalman'), '0 seconds or more'),
    ((1, 'mean'), 'one of kalman, one_euro')])
def test_unknown_settings_are_refused(arguments, sentence):
    with pytest.raises(UserError, match=sentence):
        check_smoothing(*arguments)
