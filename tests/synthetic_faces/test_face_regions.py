"""Regions of synthetic faces, against the pixels that change when the lips or the eyelids are painted differently."""

import numpy as np
import pytest
import torch

from leokit.nn.face_regions import FACE_REGIONS
from leokit.synthetic_faces import (
    APPEARANCE_NAMES, MOTION_NAMES, NEUTRAL_MOTION, TEXTURE_NAMES, SyntheticFacesPlan, face_regions, render_faces,
    sample_textures)
from leokit.synthetic_faces.face_regions import face_boxes

SIZE = 128
POSES = [{}, dict(yaw=-20.0), dict(pitch=14.0), dict(roll=-15.0), dict(tx=0.1, ty=-0.08, scale=0.93),
         dict(mouth_open=1.0), dict(smile=1.0, mouth_open=0.3), dict(brow=1.0, yaw=10.0),
         dict(yaw=15.0, pitch=-10.0, roll=10.0, scale=1.07, mouth_open=0.6, smile=-0.3)]


def motions(**changes):
    rows = [dict(zip(MOTION_NAMES, NEUTRAL_MOTION)) | pose | changes for pose in POSES]
    return torch.tensor([[row[name] for name in MOTION_NAMES] for row in rows])


def person(number, **changes):
    plan = SyntheticFacesPlan(num_identities=6, clips_per_identity=1, num_frames=2)
    values = torch.from_numpy(plan.appearance(plan.clips()[number])).clone()
    for name, value in (dict(glasses=0.0) | changes).items():
        values[:, APPEARANCE_NAMES.index(name)] = value
    return values


def changed(first, second):
    """Rows and columns of the pixels that differ clearly, by frame."""
    return [np.argwhere(((a.int() - b.int()).abs().amax(0) > 24).numpy())
            for a, b in zip(render_faces(*first, size=SIZE), render_faces(*second, size=SIZE))]


def boxes_of(points):
    """Left, top, right, bottom in fractions."""
    low, high = points.min(0), points.max(0) + 1
    return np.array([low[1], low[0], high[1], high[0]]) / SIZE


def unit(appearance, motion):
    """Distance of the eyes as a fraction of the image, which shows 1.8 scene units."""
    spacing = float(appearance[0, APPEARANCE_NAMES.index('eye_spacing')])
    return 2 * spacing * float(motion[MOTION_NAMES.index('scale')]) / 1.8


@pytest.fixture
def fine(monkeypatch):
    """Boxes on a grid finer than the images."""
    monkeypatch.setattr(face_regions, 'SIZE', 256)


def test_boxes_are_exact_to_a_pixel_of_their_grid(monkeypatch):
    """The outermost pixel center in a region is at most a pixel from its edge, on either grid."""
    looks, motion = person(4), motions()
    coarse = face_boxes(looks, motion)
    monkeypatch.setattr(face_regions, 'SIZE', 256)
    fine = face_boxes(looks, motion)
    assert not torch.equal(coarse, fine)
    torch.testing.assert_close(coarse, fine, atol=1 / 64, rtol=0)


@pytest.mark.parametrize('number', range(3))
@pytest.mark.usefixtures('fine')
def test_the_mouth_is_where_the_color_of_the_lips_shows(number):
    motion = motions()
    red, blue = (person(number, lips_r=r, lips_g=0.0, lips_b=1 - r) for r in (1.0, 0.0))
    found = face_boxes(red, motion)
    assert found.shape == (len(POSES), 4, 4) and found.dtype == torch.float32
    for frame, points in enumerate(changed((red, motion), (blue, motion))):
        margin = 0.15 * unit(red, motion[frame])
        inner = found[frame, 0].numpy() + np.array([1, 1, -1, -1]) * margin
        np.testing.assert_allclose(inner, boxes_of(points), atol=2.2 / SIZE)


@pytest.mark.parametrize('number', range(3))
def test_the_eyes_are_where_a_blink_shows(number):
    looks, motion = person(number), motions()
    found = face_boxes(looks, motion)
    for frame, points in enumerate(changed((looks, motion), (looks, motions(blink=1.0)))):
        right, left = found[frame, FACE_REGIONS.index('right_eye')], found[frame, FACE_REGIONS.index('left_eye')]
        assert right[2] < left[0] + 0.02  # the right eye of the person is left in the image
        middle = float(right[2] + left[0]) / 2 * SIZE
        for box, part in ((right, points[points[:, 1] < middle]), (left, points[points[:, 1] >= middle])):
            expected, margin = boxes_of(part), 0.15 * unit(looks, motion[frame])
            assert (box[:2].numpy() < expected[:2] + 1 / SIZE).all()
            assert (box[2:].numpy() > expected[2:] - 1 / SIZE).all()
            np.testing.assert_allclose(box, expected, atol=margin + 3 / SIZE)


def test_the_face_is_what_is_inside_its_outline():
    """Skin in another color shows in the face and in ears, neck and hands; its box is in that of the change."""
    looks, motion = person(0, hair=0.0, back_hair=0.0), motions()
    other = person(0, hair=0.0, back_hair=0.0, skin_r=0.0, skin_g=0.2, skin_b=1.0)
    found = face_boxes(looks, motion)[:, FACE_REGIONS.index('face')].numpy()
    for box, points in zip(found, changed((looks, motion), (other, motion))):
        expected = boxes_of(points)
        assert (box[:2] >= expected[:2] - 2 / SIZE).all() and (box[2:] <= expected[2:] + 2 / SIZE).all()
        assert abs(box[1] - expected[1]) < 3 / SIZE  # nothing is above
        assert 0.8 * (expected[2] - expected[0]) < box[2] - box[0]  # ears


@pytest.mark.usefixtures('fine')
def test_regions_of_textured_faces_are_those_that_the_camera_shows():
    looks, motion, textures = person(1), motions(), torch.from_numpy(sample_textures([0]))
    zoom, right, down = 1.2, 0.04, -0.03
    for name, value in dict(zoom=zoom, shift_x=right, shift_y=down).items():
        textures[:, TEXTURE_NAMES.index(name)] = value
    plain, shown = face_boxes(looks, motion), face_boxes(looks, motion, textures)
    middle = torch.tensor([0.5, 0.5 + 0.26 / 1.8]).repeat(2)  # of the face, which stays where it is
    expected = middle + zoom * (plain - middle) + torch.tensor([right, down]).repeat(2)
    torch.testing.assert_close(shown, expected, atol=2.2 / 256, rtol=0)


def test_eyes_that_are_closed_are_where_they_were():
    looks = person(1)
    torch.testing.assert_close(face_boxes(looks, motions(blink=1.0)), face_boxes(looks, motions()))


def test_long_clips_are_measured_in_parts():
    looks, motion = person(2), motions().repeat(8, 1)  # 72 frames
    torch.testing.assert_close(face_boxes(looks, motion), face_boxes(looks, motions()).repeat(8, 1, 1))


def test_a_face_beyond_the_image_has_no_regions():
    motion = motions()[:1].clone()
    motion[0, MOTION_NAMES.index('tx')] = 5.0
    assert face_boxes(person(0), motion).isnan().all()
