"""Expected values by hand, or from ``ffmpeg -vf fps=RATE`` 5.1 on the same times (stored)."""

from fractions import Fraction

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video.frame_rate import (
    common_rate, exact_rate, format_rates, group_rates, is_same_rate, measured_rate, regular_times, resampled_count,
    resampled_indices, source_index)

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
    assert common_rate([25, 25, 60], [10, 10, 600]) == 60  # not the commonest by number
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


NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize('fps, expected', [
    (NTSC + Fraction(1, 4000), NTSC), (NTSC - Fraction(1, 4000), NTSC),  # as far as a broadcast rate is rounded
    (Fraction(25026, 1001), Fraction(25026, 1001)),  # 25 + 1 / 1001 has the largest denominator
    (25 + Fraction(1, 1002), Fraction(25026, 1001))])
def test_how_far_a_rate_is_rounded(fps, expected):
    assert exact_rate(fps) == expected


def test_a_rate_beyond_rounding_is_no_broadcast_rate():
    fps = NTSC + Fraction(2, 7999)  # between 1 / 4000 and 1 / 3999 away
    nearest = min((Fraction(round(fps * below), below) for below in range(1, 1002)), key=lambda rate: abs(rate - fps))
    assert exact_rate(fps) == nearest != NTSC


@pytest.mark.parametrize('first, second, options, same', [
    (100, 75, dict(tolerance=0.25), True), (75, 100, dict(tolerance=0.25), True),
    (100, 74.9, dict(tolerance=0.25), False),
    (10_000, 10_001, {}, True), (10_000, 10_002, {}, False)])
def test_the_difference_is_relative_to_the_larger_rate(first, second, options, same):
    assert is_same_rate(first, second, **options) is same


def test_the_five_commonest_rates_are_listed():
    groups = group_rates([10, *[20] * 6, *[30] * 5, *[40] * 4, *[50] * 3])
    assert list(groups) == [20, 30, 40, 50, 10]
    listed = '6 of 20, 5 of 30, 4 of 40, 3 of 50, 1 of 10'
    assert format_rates(groups) == listed
    assert format_rates({**groups, 60: 1}) == f'{listed} and 1 more'
    assert format_rates({**groups, 60: 1, 70: 1}) == f'{listed} and 2 more'


@pytest.mark.parametrize('stated, rate', [([1], 1), ([Fraction(999, 1000)], 25), ([240], 240), ([241], 25),
                                          ([1000, 30], 25), ([None, 30], 30), ([], 25)])
def test_a_single_frame_has_the_rate_of_the_header_if_it_is_one(stated, rate):
    assert measured_rate(np.array([7]), MILLISECONDS, stated) == rate


@pytest.mark.parametrize('times, rate', [([0, 40, 81], 25), ([0, 41, 80], 25), ([0, 42, 81], Fraction(2000, 81)),
                                         ([0, 40, 82], Fraction(2000, 82)), ([0, 40, 78], Fraction(2000, 78))])
def test_times_may_be_one_tick_off_the_grid_of_a_stated_rate(times, rate):
    for start in (0, 5000):
        assert measured_rate(np.array(times) + start, MILLISECONDS, [Fraction(25)]) == rate


def test_eight_frames_may_have_a_common_rate():
    times = np.array([round(30 * number / 24) for number in range(8)])  # 24 per second on a clock of 1/30 s
    assert times.tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    assert measured_rate(times, Fraction(1, 30)) == 24
    assert measured_rate(times[:7], Fraction(1, 30)) == Fraction(6 * 30, 8)


def test_one_frame_stays_however_low_the_rate():
    assert resampled_indices(np.array([3.0]), 1, 30).tolist() == [0]
    assert resampled_indices(np.array([0.0]), 1, 2).tolist() == [0]
    assert resampled_indices(np.array([0.0]), 3, 2).tolist() == [0, 0]  # 1.5 frames are two


@pytest.mark.parametrize('early, shown, count', [(0, [0, 1, 2], 2), (1e-7, [0, 1, 2], 2), (5e-4, [1, 1, 2], 1)])
def test_half_of_a_frame_later_is_the_next_up_to_rounding(early, shown, count):
    """At one frame per second, output frame 1 stands for the time from 0.5 s on."""
    assert resampled_indices(np.array([0, 0.5 - early, 2]), 1, 1).tolist() == shown
    assert len(resampled_indices(np.array([0.0]), 1.5 - early, 1)) == count


@pytest.mark.parametrize('fps, source', [
    (24, 30), (30, 24), (25, Fraction(30000, 1001)), (29.97, 60), (12, 12), (7, 50)])
def test_the_frame_at_another_rate_is_the_newest_of_its_time(fps, source):
    """The definition in fractions: the last frame before (k + 1/2) / fps."""
    exact, exact_source = (NTSC if rate == 29.97 else Fraction(rate) for rate in (fps, source))
    for index in range(40):
        shown = max(n for n in range(400) if Fraction(n) / exact_source < (index + Fraction(1, 2)) / exact)
        assert source_index(index, fps, source) == shown


def test_times_at_a_constant_rate():
    assert regular_times(4, 8).tolist() == [0, 0.125, 0.25, 0.375]


@pytest.mark.parametrize('written, rate', [
    (23.976, 24), (29.97, 30), (47.952, 48), (59.94, 60), (119.88, 120), (239.76, 240)])
def test_broadcast_rates_as_they_are_written(written, rate):
    assert exact_rate(written) == Fraction(1000 * rate, 1001)


@pytest.mark.parametrize('rate', [24, 25, 30, 48, 50, 60, 100, 120, 240])
@pytest.mark.parametrize('slower', [Fraction(1), Fraction(1000, 1001)])
def test_common_rates_are_found_on_a_clock_that_fits_none(rate, slower):
    if slower < 1 and rate in (25, 50, 100):
        return  # not broadcast
    times = np.array([round(997 * number / (rate * slower)) for number in range(1000)])
    assert Fraction(999 * 997, int(times[-1])) != rate * slower == measured_rate(times, Fraction(1, 997))
