"""Statistics of clips: every value against arithmetic on clips whose features are straight lines."""

import math

import numpy as np
import pytest
import torch

from leokit.analysis import ClipSet, clip_statistics, clip_table, paired_difference
from leokit.analysis.clip_statistics import STATISTICS

LENGTH = 16
STEP = 0.05  # of the brightness of consecutive frames


def brightness(frames):
    return frames.mean((1, 2, 3))[:, None]


def ramp():
    """Frames of one brightness each: STEP * t."""
    return (STEP * torch.arange(LENGTH, dtype=torch.float64)).float()[:, None, None, None].expand(-1, 3, 8, 8)


def test_a_straight_line():
    def motion(frames):
        return torch.cat((3 * brightness(frames), 4 * brightness(frames)), dim=1)

    values = clip_statistics(ramp(), brightness, motion)
    # |i - j| of two of n numbers is (n + 1) / 3 on average
    assert values['acd'] == pytest.approx(STEP * (LENGTH + 1) / 3, rel=1e-5)
    assert values['content_drift'] == pytest.approx(STEP * np.mean([12, 13, 14, 15]), rel=1e-5)
    # the motion is five times as large: (3, 4) has length 5
    assert values['jitter'] == pytest.approx(0, abs=1e-6)
    assert values['spread'] == pytest.approx(5 * STEP * math.sqrt((LENGTH**2 - 1) / 12), rel=1e-5)
    assert values['drift'] == pytest.approx(5 * STEP * 12, rel=1e-5)
    assert values['range'] == pytest.approx(5 * STEP * 15, rel=1e-5)


def test_jitter_of_alternating_motion():
    sign = torch.tensor([1.0, -1.0]).repeat(LENGTH // 2)
    values = clip_statistics(ramp(), brightness, lambda frames: 0.1 * sign[:, None])
    assert values['jitter'] == pytest.approx(0.1 * 8, rel=1e-6)  # |1 + 3 + 3 + 1|
    assert values['drift'] == pytest.approx(0, abs=1e-9)
    assert values['range'] == pytest.approx(0.2, rel=1e-6)


def test_sharpness_is_the_detail_kept_after_the_first_frame():
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2 * 2.0 - 1
    contrast = torch.full((LENGTH,), 0.25)
    contrast[0] = 0.5
    frames = contrast[:, None, None, None] * board.expand(3, 8, 8)
    assert clip_statistics(frames, brightness, brightness)['sharpness'] == pytest.approx(0.5, rel=1e-6)
    assert math.isnan(clip_statistics(torch.zeros(LENGTH, 3, 8, 8), brightness, brightness)['sharpness'])


def test_missing_detections():
    def partly(frames):
        features = brightness(frames)
        features[5] = math.nan
        return features

    values = clip_statistics(ramp(), partly, partly)
    assert all(math.isnan(values[name]) for name in ('jitter', 'spread', 'drift', 'range'))
    rest = [STEP * t for t in range(LENGTH) if t != 5]
    assert values['acd'] == pytest.approx(np.mean([abs(a - b) for a in rest for b in rest if a != b]), rel=1e-5)


def test_a_short_clip_is_refused():
    with pytest.raises(ValueError, match='at least 8 frames, got 7'):
        clip_statistics(torch.zeros(7, 3, 8, 8), brightness, brightness)


def clip_set(**columns):
    """Clips a, b, ... with the same value in all statistics."""
    return ClipSet({name: dict.fromkeys(STATISTICS, value) for name, value in columns.items()})


def test_means_and_paired_differences():
    theirs, ours = clip_set(a=1.0, b=3.0, c=math.nan), clip_set(b=2.0, a=1.5, d=9.0)
    assert theirs.mean('acd') == (2.0, pytest.approx(1.0), 2)  # standard deviation sqrt(2), over sqrt(2)
    mean, error, count = paired_difference(theirs, ours, 'acd')  # 0.5 and -1
    assert (mean, count) == (pytest.approx(-0.25), 2)
    assert error == pytest.approx(0.75)
    lines = clip_table(dict(theirs=theirs, ours=ours)).splitlines()
    assert lines[2].startswith('| theirs | 2 ± 1 |') and lines[2].endswith('| 3 |')
    assert lines[4].startswith('| ours - theirs, paired | -0.25 ± 0.75 |') and lines[4].endswith('| 2 |')
    assert len(clip_table(dict(theirs=theirs, other=clip_set(z=1.0))).splitlines()) == 4  # no pairs
