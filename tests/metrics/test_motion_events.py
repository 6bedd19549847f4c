"""Events and bands of signals that are sums of sines, steps and bumps."""

import math

import numpy as np
import pytest

from leokit.metrics.motion_events import band_amplitudes, count_peaks

FPS = 25.0
TIME = np.arange(250) / FPS  # ten seconds


def bump(start, seconds, height=1.0):
    """A triangle that begins at ``start``."""
    return height * np.clip(1 - np.abs(TIME - start - seconds / 2) / (seconds / 2), 0, None)


def test_periods_are_counted_at_any_level_and_on_a_slope():
    for offset in (0, 5 + 0.5 * TIME):
        assert count_peaks(offset + np.sin(2 * math.pi * 1.2 * TIME), 0.9, fps=FPS) == 12
    assert count_peaks(0.4 * np.sin(2 * math.pi * 1.2 * TIME), 0.9, fps=FPS) == 0  # 0.8 from trough to peak


def test_noise_below_the_prominence_counts_nothing():
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, len(TIME))
    assert count_peaks(bump(1, 0.5) + bump(6, 2) + noise, 0.5, fps=FPS) == 2
    assert count_peaks(noise, 0.5, fps=FPS) == 0


def test_a_step_is_no_event():
    assert count_peaks(np.clip(TIME - 5, 0, 1), 0.5, fps=FPS) == 0


def test_long_peaks_can_be_left_out():
    signal = bump(1, 0.4) + bump(4, 2)  # 0.2 and 1 second wide at half their height
    assert count_peaks(signal, 0.5, fps=FPS) == 2
    assert count_peaks(signal, 0.5, fps=FPS, max_seconds=0.6) == 1
    assert count_peaks(signal, 0.5, fps=FPS, max_seconds=1.1) == 2


def test_a_sine_is_in_its_band():
    signal = 3 + 2 * TIME + 0.8 * np.sin(2 * math.pi * 2 * TIME)
    low, middle, high = band_amplitudes(signal, FPS, [(0.25, 1), (1, 3), (3, 7)])
    assert middle == pytest.approx(0.8 / math.sqrt(2), rel=0.03)
    assert low < 0.02 and high < 0.02  # neither the mean nor the slope is anywhere


def test_two_sines_are_separated():
    signal = np.sin(2 * math.pi * 0.5 * TIME) + 0.3 * np.sin(2 * math.pi * 5 * TIME)
    low, middle, high = band_amplitudes(signal, FPS, [(0.25, 1), (1, 3), (3, 7)])
    assert (low, high) == (pytest.approx(1 / math.sqrt(2), rel=0.05), pytest.approx(0.3 / math.sqrt(2), rel=0.05))
    assert middle < 0.02
