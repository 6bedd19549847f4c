"""Expected values by hand, or from ``ffmpeg -vf fps=RATE`` 5.1 on the same times (stored)."""

from fractions import Fraction

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video.frame_rate import (
    common_rate, exact_rate, format_rates, group_rates, measured_rate, resampled_count, resampled_indices)

MILLISECONDS = Fraction(1, 1000)


@pytest.mark.parametrize('fps, rate', [(29.97002997, Fraction(30000, 1001)), (23.976023976, Fraction(24000, 1001)),
                                       (25.0, Fraction(25)), (12.5, Fraction(25, 2))])
def test_floats_stand_for_rational_rates(fps, rate):
    assert exact_rate(fps) == rate


@pytest.mark.parametrize('rate', [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(60)])
def test_a_rate_survives_times_in_milliseconds(rate):
    times = np.array([round(1000 * number / rate) for number in range(300)])
    assert measured_rate(times, MILLISECONDS) == rate


def test_a_header_that_states_the_clock_of_the_recorder_is_not_believed():
    times = np.array([0, 33, 67, 100, 133, 183, 200, 233, 267, 300])
    assert measured_rate(times, MILLISECONDS, [Fraction(1000), Fraction(60000, 1001)]) == Fraction(9, 300) * 1000
    assert measured_rate(np.array([0, 34]), MILLISECONDS, [Fraction(1000)]) == Fraction(1000, 34)
    assert measured_rate(np.array([0]), MILLISECONDS, [Fraction(1000)]) == 25
    assert measured_rate(np.array([0]), MILLISECONDS, [Fraction(30)]) == 30


def test_a_stated_rate_that_the_times_confirm_is_exact():
    times = np.arange(100) * 1001
    assert measured_rate(times, Fraction(1, 30000), [Fraction(30000, 1001)]) == Fraction(30000, 1001)
    assert measured_rate(times, Fraction(1, 30000), [Fraction(60)]) == Fraction(30000, 1001)


def test_regular_frames_stay_as_they_are():
    times = np.arange(50) / 25
    assert np.array_equal(resampled_indices(times, 25, 25), np.arange(50))
    jitter = times + np.random.default_rng(0).uniform(-0.015, 0.015, 50)
    assert np.array_equal(resampled_indices(jitter, 25, 25), np.arange(50))


@pytest.mark.parametrize('count, source, target, shown', [
    (6, 60, 30, [0, 2, 4]),
    (3, 10, 30, [0, 0, 0, 1, 1, 1, 2, 2, 2]),
    (12, 30, 25, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]),
    (10, 25, 30, [0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9]),
])
def test_frames_are_taken_by_time_as_ffmpeg_takes_them(count, source, target, shown):
    assert resampled_indices(np.arange(count) / source, target, source).tolist() == shown
    assert resampled_count(count, target, source) == len(shown)


def test_a_pause_is_held():
    times = np.array([0, 40, 80, 1080, 1120]) / 1000  # 25 fps with a second between frames 2 and 3
    shown = resampled_indices(times, 25, 25)
    assert shown.tolist() == [0, 1, *[2] * 25, 3, 4]


def test_the_commonest_rate_by_duration():
    rates = [25, 60, 29.97002997, 29.9700299, 0]
    assert common_rate(rates, [100, 260, 70, 80, 999]) == pytest.approx(30000 / 1001)  # 4, 4.3 and 2.3 + 2.7 s
    assert group_rates(rates) == {29.97002997: 2, 25: 1, 60: 1}
    assert format_rates(group_rates(rates)) == '2 of 29.97, 1 of 25, 1 of 60'


def test_a_stated_rate_that_fits_the_duration_only_is_not_believed():
    """Four irregular frames in 100 ms: 30 per second, not the 29.97 that would take 100.1 ms."""
    times = np.array([0, 10, 66, 100])
    assert measured_rate(times, MILLISECONDS, [Fraction(30000, 1001)]) == 30
    regular = np.array([0, 33, 67, 100])
    assert measured_rate(regular, MILLISECONDS, [Fraction(30000, 1001)]) == Fraction(30000, 1001)


@pytest.mark.parametrize('fps, expected', [(0.001, Fraction(1, 1000)), (1e6, Fraction(10**6))])
def test_the_limits_are_rates(fps, expected):
    assert exact_rate(fps) == expected
    for beyond in (fps * (0.999 if fps < 1 else 1.001), -fps, float('nan')):
        with pytest.raises(UserError, match=r'from 0.001 to 1e\+06 frames per second'):
            exact_rate(beyond)
