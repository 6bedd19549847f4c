"""Measures of drawn faces: ellipses whose sides are known, turned, scaled and mirrored by hand."""

import math

import pytest
import torch

from leokit.datasets.transforms import PairedAffine, PairedFlip
from leokit.nn.face_regions import boxes_to_maps
from leokit.nn.face_shape import FACE_MEASURES, FACE_POINTS, face_points, face_shape
from leokit.synthetic_faces import APPEARANCE_NAMES, MOTION_NAMES, NEUTRAL_MOTION, SyntheticFacesPlan, face_regions
from leokit.synthetic_faces.face_regions import face_boxes

NAN = float('nan')
# centers and sides in eye distances; the middle of the eyes is 0, 0
FACE = dict(mouth=((0.1, 1.1), (0.8, 0.45)), right_eye=((-0.5, 0.0), (0.4, 0.15)), left_eye=((0.5, 0.0), (0.38, 0.22)))
MEASURES = [0.45, 0.8, 0.15, 0.22, 0.1, 1.1]


def maps_of(face, *, roll=0.0, scale=0.2, center=(0.5, 0.4), mirror=False):
    """Maps of a face whose eyes are ``scale`` image widths apart, turned clockwise by ``roll`` degrees."""
    angle, circle = math.radians(roll), torch.linspace(0, 2 * math.pi, 3601, dtype=torch.float64)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    boxes = []
    for name in ('mouth', 'right_eye', 'left_eye'):
        middle, sides = (torch.tensor(values, dtype=torch.float64) for values in face[name])
        points = middle + torch.stack([circle.cos(), circle.sin()], dim=1) * sides / 2
        points = points @ turn.T * scale + torch.tensor(center)
        if mirror:
            points[:, 0] = 1 - points[:, 0]
        boxes.append([*(points.amin(0) - 0.15 * scale).tolist(), *(points.amax(0) + 0.15 * scale).tolist()])
    return boxes_to_maps(torch.tensor([*boxes, [0.0, 0.0, 1.0, 1.0]]))[None]


def transforms(angle, scale, shift):
    cosine, sine = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    return torch.tensor([[[cosine, sine, shift], [-sine, cosine, -shift / 2]]])


def test_the_order_of_the_measures():
    assert FACE_MEASURES == dict(
        mouth=('mouth_height', 'mouth_width'), eyes=('left_eye_height', 'right_eye_height'),
        position=('mouth_along', 'mouth_across'))


@pytest.mark.parametrize('roll', [0.0, 7.0, -15.0, 30.0])
@pytest.mark.parametrize('scale, center', [(0.2, (0.5, 0.4)), (0.31, (0.2, 0.7))])
def test_sides_and_positions_in_eye_distances(roll, scale, center):
    found = face_shape(maps_of(FACE, roll=roll, scale=scale, center=center))
    assert found.dtype == torch.float32 and found[0].tolist() == pytest.approx(MEASURES, abs=2e-4)


@pytest.mark.parametrize('angle', [0.0, 25.0, -70.0, 180.0])
def test_augmentation_changes_nothing(angle):
    """Also a rotation by an angle at which the box of a head that is tilted itself would say nothing."""
    moved = PairedAffine().apply_to_regions(maps_of(FACE, roll=10.0), transforms(angle, 1.3, 0.2))
    assert not torch.allclose(moved, maps_of(FACE, roll=10.0))
    assert face_shape(moved)[0].tolist() == pytest.approx(MEASURES, abs=3e-4)


@pytest.mark.parametrize('angle', [0.0, 40.0])
def test_a_mirrored_face_is_measured_as_it_is_seen(angle):
    """The person's left eye is on the left of the mirror image, and the mouth moves to the other side."""
    mirrored = PairedFlip().apply_to_regions(maps_of(FACE, roll=12.0), torch.tensor([True]))
    mirrored = PairedAffine().apply_to_regions(mirrored, transforms(angle, 0.9, 0.1))
    assert face_shape(mirrored)[0].tolist() == pytest.approx([0.45, 0.8, 0.22, 0.15, -0.1, 1.1], abs=3e-4)
    # the same pixels, if a detector looks at them: what looks like the right eye is called the right eye
    detected = maps_of(dict(FACE, right_eye=FACE['left_eye'], left_eye=FACE['right_eye']), roll=12.0, mirror=True)
    torch.testing.assert_close(face_shape(detected), face_shape(mirrored), atol=3e-4, rtol=0)


def test_what_was_not_found_is_nan():
    maps = maps_of(FACE).repeat(5, 1, 1, 1)
    for row, region in ((1, 0), (2, 1), (3, 2)):
        maps[row, region] = NAN
    maps[4, 3] = NAN  # the face is not read
    assert face_shape(maps).isfinite().tolist() == [
        [True] * 6, [False, False, True, True, False, False], [False] * 6, [False] * 6, [True] * 6]


def test_a_head_on_its_side_has_positions_only():
    found = face_shape(torch.cat([maps_of(FACE, roll=34.0), maps_of(FACE, roll=40.0)]))
    assert found[0].isfinite().all() and found[1, :4].isnan().all()
    assert found[1, 4:].tolist() == pytest.approx(MEASURES[4:], abs=1e-4)


def test_a_closed_mouth_has_no_height_and_not_less():
    flat = dict(FACE, mouth=((0.0, 1.0), (0.8, 0.0)))
    assert face_shape(maps_of(flat, roll=9.0))[0, 0] == pytest.approx(0, abs=0.02)
    maps = maps_of(flat)
    maps[0, 0, 1, 1] /= 2  # a box lower than twice the margin
    assert face_shape(maps)[0, 0] == 0


def test_positions_have_no_rounding_of_half_precision():
    maps = maps_of(FACE, roll=5.0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(face_shape(maps), face_shape(maps_of(FACE, roll=5.0)))


def test_the_mouth_of_a_synthetic_face_opens_by_a_tenth_of_the_image(monkeypatch):
    """A wide open mouth is 0.18 scene units high, beside its lips; the eyes are 2 eye_spacing apart."""
    monkeypatch.setattr(face_regions, 'SIZE', 256)
    plan = SyntheticFacesPlan(num_identities=4, clips_per_identity=1, num_frames=2)
    for clip in plan.clips():
        looks = torch.from_numpy(plan.appearance(clip))
        rows = [dict(zip(MOTION_NAMES, NEUTRAL_MOTION)) | dict(mouth_open=opened, roll=roll)
                for opened in (0.0, 1.0) for roll in (0.0, 12.0)]
        motion = torch.tensor([[row[name] for name in MOTION_NAMES] for row in rows])
        closed, tilted, opened, both = face_shape(boxes_to_maps(face_boxes(looks, motion)))[:, 0]
        distance = 2 * float(looks[0, APPEARANCE_NAMES.index('eye_spacing')])
        assert float(opened - closed) == pytest.approx(0.18 / distance, abs=0.05)
        assert float(both - tilted) == pytest.approx(0.18 / distance, abs=0.08)


@pytest.mark.parametrize('roll', [0.0, 12.0, -20.0])
def test_points_are_where_the_sides_end(roll):
    scale, center = 0.2, (0.45, 0.4)
    points, unit = face_points(maps_of(FACE, roll=roll, scale=scale, center=center))
    assert unit.item() == pytest.approx(2 * scale, abs=1e-4)  # of an image from -1 to 1
    angle = math.radians(roll)
    found = dict(zip([name for names in FACE_POINTS.values() for name in names], points[0].tolist()))
    # the right eye of a person is on the left of the image
    for name, part in (('mouth', 'mouth'), ('left_eye', 'right_eye'), ('right_eye', 'left_eye')):
        (x, y), (width, height) = FACE[part]
        for end, (right, down) in dict(left=(x - width / 2, y), right=(x + width / 2, y), top=(x, y - height / 2),
                                       bottom=(x, y + height / 2)).items():
            turned = right * math.cos(angle) - down * math.sin(angle), right * math.sin(angle) + down * math.cos(angle)
            expected = [2 * (scale * value + middle) - 1 for value, middle in zip(turned, center)]
            assert found[f'{name}_{end}'] == pytest.approx(expected, abs=1e-3), (name, end)


def test_points_of_a_mirrored_face():
    maps = maps_of(FACE, roll=9.0)
    flipped, _ = face_points(PairedFlip().apply_to_regions(maps, torch.ones(1, dtype=torch.bool)))
    mirrored = face_points(maps)[0] * torch.tensor([-1.0, 1.0])
    # left and right change places, of the mouth's corners, the eyes, and their corners
    swapped = [1, 0, 2, 3, 7, 6, 5, 4, 10, 11, 8, 9]
    torch.testing.assert_close(flipped, mirrored[:, swapped], rtol=0, atol=1e-5)


def test_points_of_a_face_that_was_not_found():
    maps = maps_of(FACE)
    maps[0, 0] = NAN
    points, _ = face_points(maps)
    assert points[0, :4].isnan().all() and points[0, 4:].isfinite().all()
