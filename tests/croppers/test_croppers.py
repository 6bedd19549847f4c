"""The published conventions; expected regions are by their formulas, in arithmetic."""

import math

import numpy as np
import pytest
from support.signatures import defaults

from leokit.croppers import CROP_PRESETS, CropRegion, build_cropper, find_preset
from leokit.face_detectors import Face
from leokit.registry import CROPPERS
from leokit.utils import UserError

FRAME = (480, 640)


def face(*box, landmarks=None):
    return Face(np.array(box, np.float64), 1.0, landmarks)


def region(crop, *faces, frame=FRAME, driving=False):
    return build_cropper(find_preset(crop), driving=driving).region(faces, frame)


def edges(region):
    return np.array((region.x - region.width / 2, region.y - region.height / 2,
                     region.x + region.width / 2, region.y + region.height / 2))


@pytest.mark.parametrize('crop, expected', [
    ('voxceleb', (270, 175, 410, 325)),  # 20 % of 100 and 12.5 % of 120 on each side; squeezed: 140 x 150
    ('fomm', (268, 178, 412, 322)),  # side 1.2 * 120 = 144
    ('celebv_hq', (235, 145, 445, 355)),  # side 1.75 * 120 = 210 around (340, 250)
    ('faceforensics', (275.2, 189.088, 404.8, 318.688)),  # side 129.6, 3 % of it lower
    ('float', (244, 154, 436, 346)),  # half side 1.6 * 60 = 96
    ('lia_x', (250, 152.5, 430, 332.5)),  # 340 -+ 90; from 190 - 1.5 * 30 to 310 + 30; of 180 x 195 the central square
    ('synthetic_faces', (224.2, 134.2, 455.8, 365.8)),  # side 1.93 * 120 = 231.6
])
def test_conventions(crop, expected):
    assert edges(region(crop, face(290, 190, 390, 310))) == pytest.approx(expected)


def test_a_clip_is_cropped_around_all_its_boxes():
    clip = face(290, 190, 390, 310), face(310, 180, 410, 300)  # union 120 x 130
    assert edges(region('fomm', *clip)) == pytest.approx((350 - 78, 245 - 78, 350 + 78, 245 + 78))
    assert edges(region('voxceleb', *clip, driving=True)) == pytest.approx((290 - 12, 180 - 13, 410 + 12, 310 + 13))


def test_at_the_border():
    corner = face(0, 0, 100, 120)
    assert edges(region('voxceleb', corner, driving=True)) == pytest.approx((0, 0, 110, 132))  # cut
    assert edges(region('fomm', corner)) == pytest.approx((0, 0, 122, 132))  # 50 + 72, 60 + 72
    assert edges(region('float', corner)) == pytest.approx((-46, -36, 146, 156))  # padded
    assert edges(region('celebv_hq', corner)) == pytest.approx((0, 0, 210, 210))  # moved
    x = region('lia_x', corner)
    assert edges(x) == pytest.approx((0, 5, 140, 145))  # 140 x 150 is left of it, of which the central square


def landmarks(angle=0.0, scale=1.0, center=(300., 200.)):
    """68 points: eyes 40 above and mouth 40 below the center, all within -60..60 x -50..70; turned clockwise."""
    points = np.zeros((68, 2))
    points[:, 0] = np.linspace(-60, 60, 68)
    points[:, 1] = np.linspace(-50, 70, 68)
    points[[37, 40]], points[[43, 46]] = (-30, -40), (30, -40)
    points[48], points[54] = (-20, 40), (20, 40)
    turn = np.array(((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))))
    return scale * points @ turn.T + center


@pytest.mark.parametrize('angle', [0.0, 0.4, -1.2, 3.0])
def test_liveportrait_turns_the_face_upright(angle):
    found = region('liveportrait', face(0, 0, 1, 1, landmarks=landmarks(angle)))
    side = 2.3 * 120
    down = np.array((-math.sin(angle), math.cos(angle)))
    assert found[:2] == pytest.approx(np.array((300, 200)) + 10 * down - 0.125 * side * down)
    assert found[2:4] == pytest.approx((side, side))
    assert math.cos(found.angle - angle) == pytest.approx(1)


def test_liveportrait_averages_the_squares_of_a_driving_video():
    faces = [face(0, 0, 1, 1, landmarks=landmarks(0.2, 1.0, (300, 200))),
             face(0, 0, 1, 1, landmarks=landmarks(-0.2, 1.2, (320, 230)))]
    found = region('liveportrait', *faces, driving=True)
    assert found.angle == 0
    assert found.width == pytest.approx(2.2 * 120 * 1.1)
    expected = []
    for angle, scale, center in ((0.2, 1.0, (300, 200)), (-0.2, 1.2, (320, 230))):
        down = np.array((-math.sin(angle), math.cos(angle)))
        expected.append(np.array(center) + 10 * scale * down - 0.1 * 2.2 * 120 * scale * down)
    assert found[:2] == pytest.approx(np.mean(expected, axis=0))


def test_landmarks_are_needed():
    with pytest.raises(UserError, match='needs landmarks; use the face detector dlib'):
        region('liveportrait', face(0, 0, 1, 1))
    assert build_cropper(CROP_PRESETS['liveportrait']).needs_landmarks


@pytest.mark.parametrize('boxes, frame, expected', [
    ([(100, 50, 200, 130)], FRAME, (90, 30, 210, 150)),  # 100x80 around (150, 90): side 1.2 * 100
    ([(100.2, 100.2, 190.2, 190.2)], FRAME, (91, 91, 199, 199)),  # 91.2 to 199.2
    ([(0, 0, 100, 100)], FRAME, (0, 0, 120, 120)),  # from -10, moved right and down
    ([(560, 400, 640, 480)], FRAME, (544, 384, 640, 480)),  # to 648 and 488, moved left and up
    ([(-20, 100, 60, 180)], FRAME, (0, 92, 96, 188)),  # a detection that reaches beyond the frame
    ([(100, 100, 140, 140), (120, 110, 180, 150)], FRAME, (92, 77, 188, 173)),  # union 100, 100, 180, 150
    ([(100, 0, 200, 100)], (100, 300), (90, -10, 210, 110)),
    ([(100, 20, 200, 140)], (100, 300), (78, 0, 222, 144))])  # from 8: moved to contain the whole height
def test_square_of_leokit_prepare_in_whole_pixels(boxes, frame, expected):
    assert region('face', *(face(*box) for box in boxes), frame=frame).to_box() == expected


def test_presets_and_configs():
    for preset in CROP_PRESETS.values():
        build_cropper(preset)
        build_cropper(preset, driving=True)
    own = find_preset(dict(type='SquareCropper', scale=2))
    assert build_cropper(own).region([face(0, 0, 10, 10)], FRAME) == CropRegion(10, 10, 20, 20)
    with pytest.raises(UserError, match="unknown face crop 'tight'; choose one of face, face_wide, voxceleb"):
        find_preset('tight')
    for wrong in (dict(type='SquareCropper', scale=0), dict(type='SquareCropper', scale=1, outside='x'),
                  dict(type='MarginCropper', margin=-1), dict(type='MarginCropper', margin=(0.1, 0.2)),
                  dict(type='LandmarkCropper', scale=-1),
                  dict(type='LIAXCropper', top=-1), dict(type='LIAXCropper', margin=-0.1)):
        with pytest.raises((ValueError, UserError)):
            CROPPERS.build(wrong)


def test_the_map_of_a_region():
    turned = CropRegion(100, 50, 40, 20, math.pi / 2)  # 90 degrees clockwise: x of the crop goes down in the frame
    to_frame = turned.to_frame(10)
    assert to_frame @ (4.5, 4.5, 1) == pytest.approx((99.5, 49.5))
    assert to_frame @ (9.5, 4.5, 1) == pytest.approx((99.5, 49.5 + 20))
    assert to_frame @ (4.5, 9.5, 1) == pytest.approx((99.5 - 10, 49.5))
    assert turned.rounded() is turned
    assert CropRegion(10.3, 20.4, 7.9, 9.2).rounded() == CropRegion(10, 20.5, 8, 9)  # 6 to 14, 16 to 25
    assert turned.scaled(2, 2) == CropRegion(200, 100, 80, 40, math.pi / 2)


def test_default_values():
    """Of LivePortrait (scale 2.3, vy_ratio -0.125) and LIA-X; 10 % on each side."""
    kinds = {name: defaults(CROPPERS.get(name)) for name in CROPPERS.module_dict}
    assert kinds == dict(
        SquareCropper=dict(shift=0.0, outside='move'), MarginCropper=dict(margin=0.1, square=True),
        LIAXCropper=dict(margin=0.25, top=1.5), LandmarkCropper=dict(scale=2.3, shift=-0.125, rotate=True))
