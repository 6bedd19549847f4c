"""Head pose: heads that are turned here and projected here."""

import math

import pytest
import torch

from leokit.metrics.expressions import RIGID
from leokit.metrics.head_pose import AVERAGE_HEAD, head_pose


def turned(head, yaw=0.0, pitch=0.0, roll=0.0):
    """Points (K, 3) of a head that first turns to the right of the image, then looks down, then tilts clockwise."""
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw, pitch, roll))
    x, y, z = head.unbind(1)  # to the right, down, towards the camera
    x, z = x * math.cos(yaw) + z * math.sin(yaw), z * math.cos(yaw) - x * math.sin(yaw)
    y, z = y * math.cos(pitch) + z * math.sin(pitch), z * math.cos(pitch) - y * math.sin(pitch)
    x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
    return torch.stack([x, y, z], 1)


def landmarks(points):
    """68 landmarks (1, 68, 2) with these rigid ones; the others are anywhere."""
    result = torch.rand(68, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 100
    result[list(RIGID)] = points
    return result[None]


def pose(points):
    return {name: float(value) for name, value in head_pose(landmarks(points)).items()}


@pytest.fixture
def head():
    return torch.tensor(AVERAGE_HEAD, dtype=torch.float64)


@pytest.mark.parametrize('angle', [-30, -5, 0, 12, 35])
@pytest.mark.parametrize('name', ['yaw', 'pitch', 'roll'])
def test_each_angle_at_any_scale_and_place(head, name, angle):
    found = pose(1.7 * turned(head, **{name: angle})[:, :2] + torch.tensor([40.0, -7.0]))
    assert found == {other: pytest.approx(angle if other == name else 0, abs=1e-9) for other in found}


def test_a_turned_head_that_looks_down(head):
    found = pose(turned(head, yaw=20, pitch=15)[:, :2])
    # the face points to (sin 20, 0, cos 20); looking down turns that direction about the x axis
    towards = math.cos(math.radians(20))
    assert found['pitch'] == pytest.approx(math.degrees(math.asin(towards * math.sin(math.radians(15)))), abs=1e-9)
    assert found['yaw'] == pytest.approx(math.degrees(math.atan2(
        math.sin(math.radians(20)), towards * math.cos(math.radians(15)))), abs=1e-9)


@pytest.mark.parametrize('name', ['yaw', 'pitch'])
def test_changes_of_another_head_seen_in_perspective(head, name):
    """A flatter nose and wider eyes, from half a meter: changes are right to a fifth, and of the right sign."""
    other = head * torch.tensor([1.08, 1.05, 0.9], dtype=torch.float64)
    angles = torch.tensor([-15.0, 0.0, 15.0])
    found = []
    for angle in angles.tolist():
        points = turned(other, **{name: angle})
        found.append(pose(points[:, :2] / (500 - points[:, 2:]))[name])
    for change in (found[1] - found[0], found[2] - found[1]):
        assert change == pytest.approx(15, rel=0.2)


def test_frames_without_a_face_have_no_pose(head):
    frames = torch.cat([landmarks(head[:, :2]), torch.full((1, 68, 2), math.nan, dtype=torch.float64)])
    for values in head_pose(frames).values():
        assert values.shape == (2,) and math.isfinite(values[0]) and math.isnan(values[1])
    with pytest.raises(ValueError, match='landmarks'):
        head_pose(torch.zeros(1, 5, 2))
