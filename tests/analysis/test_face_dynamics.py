"""Dynamics of faces: what is counted in landmarks of a face that is moved here, and in drawn faces that dlib finds."""

import math
from importlib.util import find_spec

import pytest
import torch

from leokit.analysis.face_dynamics import (
    ACTIONS, BANDS, DYNAMICS, MAX_MISSING, SIGNALS, face_dynamics, face_signals, fill_gaps)
from leokit.metrics.expressions import RIGID
from leokit.metrics.head_pose import AVERAGE_HEAD
from leokit.synthetic_faces import MOTION_NAMES, NEUTRAL_MOTION, render_faces, sample_identities
from leokit.utils.pixels import from_uint8

FPS = 15.0
LENGTH = 90  # six seconds
TIME = torch.arange(LENGTH, dtype=torch.float64) / FPS
EYE_DISTANCE = 61.5  # millimeters between the middles of the eyes of AVERAGE_HEAD


def sine(hertz, amplitude):
    return amplitude * torch.sin(2 * math.pi * hertz * TIME)


def pulses(starts, seconds, height):
    """Triangles that begin at some times."""
    return sum(height * (1 - (TIME - start - seconds / 2).abs() / (seconds / 2)).clamp(min=0) for start in starts)


def face(pitch=0 * TIME, yaw=0 * TIME, mouth=0 * TIME, eyes=0.3 + 0 * TIME):
    """Landmarks (T, 68, 2) of the average head: angles in degrees, openings as the metrics define them."""
    points = torch.zeros(LENGTH, 68, 3, dtype=torch.float64)
    points[:, list(RIGID)] = torch.tensor(AVERAGE_HEAD, dtype=torch.float64)
    for outer, inner in ((36, 39), (45, 42)):
        first, last = points[:, outer], points[:, inner]
        upper, lower = ((37, 38), (41, 40)) if outer == 36 else ((44, 43), (46, 47))
        for k, fraction in enumerate((1 / 3, 2 / 3)):
            for corners, sign in ((upper, -1), (lower, 1)):
                points[:, corners[k]] = first + fraction * (last - first)
                points[:, corners[k], 1] += sign * eyes * (last - first).norm(dim=-1) / 2
    points[:, 48:68, 1] = 75
    points[:, 61:64, 1] -= EYE_DISTANCE * mouth[:, None] / 2
    points[:, 65:68, 1] += EYE_DISTANCE * mouth[:, None] / 2
    x, y, z = points.unbind(-1)
    yaw, pitch = (angle.deg2rad()[:, None] for angle in (yaw, pitch))
    x, z = x * yaw.cos() + z * yaw.sin(), z * yaw.cos() - x * yaw.sin()
    return torch.stack([x, y * pitch.cos() + z * pitch.sin()], -1)


def test_a_face_at_rest_does_nothing():
    values = face_dynamics(face(), FPS)
    assert tuple(values) == DYNAMICS and all(value == pytest.approx(0, abs=1e-6) for value in values.values())


def test_nods():
    values = face_dynamics(face(pitch=sine(1.5, 6)), FPS)
    assert values['nods'] == pytest.approx(1.5)
    assert values['pitch 1-3 Hz'] == pytest.approx(6 / math.sqrt(2), rel=0.05)
    assert values['pitch 3-7 Hz'] < 0.1 and values['turns'] == values['mouth openings'] == 0
    assert face_dynamics(face(pitch=sine(1.5, 1.5)), FPS)['nods'] == 0  # 3 degrees


def test_turns_in_both_directions():
    values = face_dynamics(face(yaw=sine(0.5, 10)), FPS)
    assert values['turns'] == pytest.approx(2 * 0.5) and values['nods'] == 0
    assert values['yaw 0.25-1 Hz'] == pytest.approx(10 / math.sqrt(2), rel=0.1)


def test_talking():
    values = face_dynamics(face(mouth=0.15 + sine(4, 0.1)), FPS)
    assert values['mouth openings'] == pytest.approx(4, abs=0.2)
    assert values['mouth 3-7 Hz'] == pytest.approx(0.1 / math.sqrt(2), rel=0.05)


def test_blinks_are_short():
    blinks = pulses([1, 2.2, 4.7], 0.4, 0.25)
    assert face_dynamics(face(eyes=0.3 - blinks), FPS)['blinks'] == pytest.approx(3 / 6)
    asleep = pulses([1], 4, 0.25)  # half closed for two seconds
    assert face_dynamics(face(eyes=0.3 - asleep), FPS)['blinks'] == 0


def test_scale_does_not_matter_but_jitter_adds_to_the_fast_band():
    points = face(pitch=sine(1.5, 6), mouth=0.15 + sine(2, 0.1))
    values, scaled = face_dynamics(points, FPS), face_dynamics(7 * points + 20, FPS)
    assert scaled == {name: pytest.approx(value, abs=1e-9) for name, value in values.items()}
    noise = 0.3 * torch.randn(points.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shaken = face_dynamics(points + noise, FPS)
    assert shaken['pitch 3-7 Hz'] > 3 * values['pitch 3-7 Hz']
    assert (shaken['nods'], shaken['mouth openings']) == (values['nods'], values['mouth openings'])


def test_few_missing_frames_are_interpolated_and_many_are_not():
    points = face(pitch=sine(1.5, 6))
    points[[10, 20, 21, 50]] = math.nan
    assert face_dynamics(points, FPS)['nods'] == pytest.approx(1.5)
    points[:10] = math.nan  # 13 of 90
    assert all(math.isnan(value) for value in face_dynamics(points, FPS).values())


def test_gaps_are_filled_along_a_line():
    rows = torch.tensor([[0.0, 5.0], [math.nan, 0.0], [math.nan, math.nan], [3.0, 2.0]])
    assert fill_gaps(rows, 0.5).tolist() == [[0, 5], [1, 4], [2, 3], [3, 2]]
    assert fill_gaps(rows, 0.4) is rows


def test_a_low_rate_is_refused():
    with pytest.raises(ValueError, match='at least 14 frames per second, got 12'):
        face_dynamics(face(), 12)


def test_thresholds():
    assert {name: (action.signal, action.prominence) for name, action in ACTIONS.items()} == {
        'nods': ('pitch', 4), 'turns': ('yaw', 4), 'mouth openings': ('mouth', 0.1), 'blinks': ('eyes', 0.08)}
    assert BANDS == ((0.25, 1), (1, 3), (3, 7)) and MAX_MISSING == 0.1
    assert len(DYNAMICS) == len(ACTIONS) + len(SIGNALS) * len(BANDS)


@pytest.mark.slow
@pytest.mark.skipif(not (find_spec('dlib') and find_spec('face_recognition_models')), reason='dlib is not installed')
@pytest.mark.parametrize('identity', [1, 4])  # without glasses or beard
def test_drawn_faces_that_nod_talk_and_blink(identity):
    """dlib's landmarks of rendered faces show the pitch, the mouth and the eyes that they were rendered with."""
    from leokit.feature_extractors.face_landmarks import FaceLandmarks
    motion = torch.tensor(NEUTRAL_MOTION).repeat(LENGTH, 1)
    truth = dict(pitch=sine(0.5, 10), mouth_open=0.5 + sine(1.5, 0.5), blink=pulses([1.5, 4], 0.6, 1.0))
    for name, values in truth.items():
        motion[:, MOTION_NAMES.index(name)] = values
    frames = from_uint8(render_faces(torch.from_numpy(sample_identities([identity])), motion, size=256))
    points = FaceLandmarks()(frames).unflatten(1, (68, 2))
    found = face_signals(points)
    assert torch.corrcoef(torch.stack([found['pitch'], truth['pitch']]))[0, 1] > 0.9
    assert torch.corrcoef(torch.stack([found['mouth'], truth['mouth_open']]))[0, 1] > 0.85
    closed = truth['blink'] > 0.7
    # dlib's landmarks of closed eyes stay about half open, which depends a little on the machine
    assert found['eyes'][closed].mean() < 0.6 * found['eyes'][truth['blink'] == 0].mean()
    assert face_dynamics(points, FPS)['mouth openings'] == pytest.approx(1.5)
