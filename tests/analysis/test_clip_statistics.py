"""Statistics of clips: every value against arithmetic on clips whose features are straight lines."""

import math

import numpy as np
import pytest
import torch

from leokit.analysis import ClipSet, clip_report, clip_statistics, clip_table
from leokit.analysis.clip_statistics import STATISTICS
from leokit.analysis.face_dynamics import DYNAMICS

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
    assert values['tracked'] == pytest.approx(15 / 16)
    rest = [STEP * t for t in range(LENGTH) if t != 5]
    assert values['acd'] == pytest.approx(np.mean([abs(a - b) for a in rest for b in rest if a != b]), rel=1e-5)


def test_a_short_clip_is_refused():
    with pytest.raises(ValueError, match='at least 8 frames, got 7'):
        clip_statistics(torch.zeros(7, 3, 8, 8), brightness, brightness)


def box_blur(frames, times):
    for _ in range(times):
        frames = torch.nn.functional.avg_pool2d(frames, 3, 1, 1, count_include_pad=False)
    return frames


def test_planted_faults_raise_the_statistic_of_each_and_no_other():
    """A swaying clip, and the same with jitter, with drift, with blur that grows, and with a changing color."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(64).double()
    picture = torch.rand(3, 32, 32, generator=generator) - 0.5
    clip = picture.expand(64, 3, 32, 32)
    phase = 2 * math.pi * time / 16  # a period is a quarter of the clip
    sway = torch.stack([torch.sin(phase), torch.cos(phase)], 1)

    def measure(frames, motion):
        return clip_statistics(frames, lambda shown: shown.mean((2, 3)), lambda _: motion)

    plain = measure(clip, sway)
    shaken = measure(clip, sway + 0.1 * torch.randn(64, 2, generator=generator, dtype=torch.float64))
    drifting = measure(clip, sway + 0.05 * time[:, None])
    blurred = measure(torch.stack([box_blur(frame[None], int(t) // 16)[0] for t, frame in enumerate(clip)]), sway)
    color = torch.tensor([1.0, 0, -1])[:, None, None]
    recolored = measure(clip + 0.004 * time.float()[:, None, None, None] * color, sway)
    assert shaken['jitter'] > 5 * plain['jitter'] and shaken['spread'] == pytest.approx(plain['spread'], rel=0.05)
    # the last quarter is 48 frames after the first
    assert plain['drift'] == pytest.approx(0, abs=1e-9)
    assert drifting['drift'] == pytest.approx(0.05 * 48 * math.sqrt(2))
    assert drifting['jitter'] == pytest.approx(plain['jitter'])
    assert plain['sharpness'] == pytest.approx(1) and blurred['sharpness'] < 0.6
    assert {name: value for name, value in blurred.items() if name in ('jitter', 'spread', 'drift', 'range')} == {
        name: plain[name] for name in ('jitter', 'spread', 'drift', 'range')}
    # mean of |i - j| of 64 frames, and of the frames 48 to 63, by the length of (1, 0, -1) and the step
    assert recolored['acd'] == pytest.approx(0.004 * math.sqrt(2) * 65 / 3, rel=1e-4)
    assert recolored['content_drift'] == pytest.approx(0.004 * math.sqrt(2) * 55.5, rel=1e-4)
    assert recolored['sharpness'] == pytest.approx(1, rel=1e-4)


def clip_set(identities=None, **columns):
    """Clips a, b, ... with the same value in all statistics."""
    return ClipSet({name: dict.fromkeys(STATISTICS, value) for name, value in columns.items()}, identities or {})


def test_means_and_paired_differences():
    theirs, ours = clip_set(a=1.0, b=3.0, c=math.nan), clip_set(b=2.0, a=1.5, d=9.0)
    assert theirs.mean('acd') == (2.0, pytest.approx(1.0), 2)  # standard deviation sqrt(2), over sqrt(2)
    mean, error, count = theirs.difference(ours, 'acd')  # 0.5 and -1
    assert (mean, count) == (pytest.approx(-0.25), 2)
    assert error == pytest.approx(0.75)
    lines = clip_table(dict(theirs=theirs, ours=ours)).splitlines()
    assert lines[2].startswith('| theirs | 2 ± 1 (2) |') and lines[2].endswith('| 3 | 3 |')
    assert lines[4].startswith('| ours - theirs, paired | -0.25 ± 0.75 |') and lines[4].endswith('| 2 | 2 |')
    assert len(clip_table(dict(theirs=theirs, other=clip_set(z=1.0))).splitlines()) == 4  # no pairs
    part = clip_set(a=1.0, c=math.nan)  # of the first set itself
    assert len(clip_table(dict(theirs=theirs, part=part)).splitlines()) == 4


def test_every_identity_counts_alike():
    people = dict(a='p', b='p', c='p', d='q')
    part = clip_set(people, a=1.0, b=2.0, c=3.0, d=6.0)
    assert part.mean('acd') == (4.0, pytest.approx(2.0), 2)  # 2 and 6, not the mean of four clips
    difference = part.difference(clip_set(a=2.0, b=2.0, d=6.0), 'acd')
    assert difference == (pytest.approx(0.25), pytest.approx(0.25), 2)  # p: 1 and 0, q: 0
    assert clip_table(dict(all=part)).endswith('| 4 ± 2 | 4 | 2 |')


def test_the_report_has_tables_of_dynamics_where_they_exist():
    plain = clip_set(a=1.0)
    assert clip_report(dict(one=plain)) == clip_table(dict(one=plain))
    face = ClipSet({'a': {**plain.values['a'], **dict.fromkeys(DYNAMICS, 0.5)}})
    report = clip_report(dict(one=plain, two=face))
    assert report.count('| --- |') == 4
    assert all(report.count(f'| {name} |') == 1 for name in DYNAMICS)
    assert '| one | – | – | – | – | 1 | 1 |' in report and '| two | 0.5 | 0.5 | 0.5 | 0.5 | 1 | 1 |' in report
