"""Smoothing of person boxes against motions that are known."""

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video.cleaning import smooth_boxes

RATE = 25


def walk(count, speed=1.0):
    """A box of 40x100 pixels that moves to the right."""
    left = 20 + speed * np.arange(count)
    return np.stack([left, np.full(count, 30.0), left + 40, np.full(count, 130.0)], axis=1)


def test_constant_boxes_and_even_motion_stay():
    assert np.allclose(smooth_boxes(walk(50, 0), RATE), walk(50, 0))
    inner = slice(45, -45)  # away from the ends, where motion slows down
    assert np.allclose(smooth_boxes(walk(150), RATE)[inner], walk(150)[inner], atol=1e-3)


def test_shaking_is_reduced_by_the_gain_of_a_gaussian():
    frequency, amplitude = 2.0, 5.0  # Hz, pixels
    shift = amplitude * np.sin(2 * np.pi * frequency * np.arange(250) / RATE)
    smoothed = smooth_boxes(walk(250, 0) + shift[:, None], RATE, seconds=0.1)
    rest = np.abs(smoothed[50:-50, 0] - 20).max() / amplitude
    assert rest < np.exp(-2 * (np.pi * frequency * 0.1)**2) + 0.01  # exp(-(2 pi f s)^2 / 2), less after the median


def test_outliers_and_missing_boxes_do_not_move_the_crop():
    boxes = walk(100, 0)
    boxes[40] = (300, 200, 400, 300)
    boxes[60:70] = np.nan
    boxes[:3] = np.nan
    assert np.allclose(smooth_boxes(boxes, RATE), walk(100, 0))


def test_missing_boxes_are_interpolated():
    boxes = walk(120)
    boxes[50:60] = np.nan
    assert np.allclose(smooth_boxes(boxes, RATE, seconds=0)[20:100], walk(120)[20:100], atol=1e-9)


def test_a_fixed_size_does_not_zoom():
    boxes = walk(100, 0)
    boxes[50:, 2:] += (20, 20)
    smoothed = smooth_boxes(boxes, RATE, fixed_size=True)
    sizes = smoothed[:, 2:] - smoothed[:, :2]
    assert np.allclose(sizes, sizes[0]) and sizes[0] == pytest.approx([60, 120], rel=0.02)


def test_one_frame_is_enough():
    assert np.allclose(smooth_boxes(walk(1), RATE), walk(1))


def test_clips_without_a_person_are_refused():
    with pytest.raises(UserError, match='no person was detected'):
        smooth_boxes(np.full((5, 4), np.nan), RATE)
    for wrong in (np.zeros((5, 3)), np.zeros((5, 4))):
        with pytest.raises(ValueError, match='boxes must have'):
            smooth_boxes(wrong, RATE)
