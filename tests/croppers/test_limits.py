"""Exact edges, smallest inputs and constants of croppers."""

import math

import numpy as np
import pytest
from support.signatures import defaults

from leokit.croppers import CropRegion, CropTrack, Paster, SquareCropper, build_cropper, crop_region, find_person_track
from leokit.croppers import find_preset, find_track, person_tracking, presets, tracking
from leokit.croppers.base import moved_inside
from leokit.croppers.box_croppers import with_margin
from leokit.croppers.smoothing import find_outliers, smooth_path
from leokit.face_detectors import Face
from leokit.person_detectors import Person
from leokit.registry import CROPPERS
from leokit.utils import UserError
from leokit.video import FramesHandle


def face(left, top, right, bottom, landmarks=None):
    return Face(np.array((left, top, right, bottom), np.float64), 1.0, landmarks)


class Scripted:
    """Finds the boxes that are listed for the number of a frame, which is its pixel value."""

    has_landmarks = False

    def __init__(self, boxes, kind=face):
        self.boxes, self.kind, self.numbers = boxes, kind, []

    def detect(self, frame, *, thorough=False):
        self.numbers.append(int(frame[0, 0, 0]))
        return [self.kind(*box) for box in self.boxes(self.numbers[-1])]


def video(frames, rate=25.0, size=(200, 400)):
    numbers = np.arange(frames, dtype=np.uint8)[:, None, None, None]
    return FramesHandle(np.broadcast_to(numbers, (frames, *size, 3)), rate)


# ---- regions -----------------------------------------------------------------
@pytest.mark.parametrize('region, box', [
    (CropRegion(10, 20, 7.5, 8.49), (6, 16, 14, 24)), (CropRegion(10.5, 20, 8, 0.2), (7, 20, 15, 21)),
    (CropRegion(0.4, 0.6, 1.49, 2), (0, 0, 1, 2))])
def test_whole_pixels(region, box):
    assert region.to_box() == box


def test_a_region_of_a_resized_frame():
    assert CropRegion(10, 20, 30, 40, 0.5).scaled(2, 3) == CropRegion(20, 60, 60, 120, 0.5)
    assert CropRegion(1, 2, 3, 4).angle == 0


@pytest.mark.parametrize('center, side, length, expected', [
    (1, 4, 20, 2), (19, 4, 20, 18), (2, 4, 20, 2), (9, 4, 20, 9), (0, 10, 8, 3), (9, 10, 8, 5), (4, 10, 8, 4)])
def test_the_shortest_move_into_an_interval(center, side, length, expected):
    assert moved_inside(center, side, length) == expected


def test_margins_by_default():
    assert with_margin(np.array((10.0, 20, 30, 60)), (0.25, 0.25)).tolist() == [-10, 10, 50, 70]
    assert with_margin(np.array((10.0, 20, 30, 60)), (0.25, 0.25), top=2).tolist() == [-10, 0, 50, 70]
    assert with_margin(np.array((10.0, 20, 50, 40)), (0.25, 0.25)).tolist() == [0, 0, 60, 60]


def test_no_margin_is_one():
    assert CROPPERS.build(dict(type='MarginCropper', margin=0)).region([face(10, 20, 30, 40)], (99, 99)).width == 20
    region = CROPPERS.build(dict(type='LIAXCropper', margin=0, top=0)).region([face(10, 20, 30, 40)], (99, 99))
    assert region == CropRegion(20, 30, 20, 20)
    for wrong in ((0.1, 0.1, 0.1), (-0.1, 0.2), (0.2, -0.1)):
        with pytest.raises(ValueError, match='margin must be a number'):
            CROPPERS.build(dict(type='MarginCropper', margin=wrong, square=False))
    with pytest.raises(ValueError, match='scale must be positive'):
        CROPPERS.build(dict(type='LandmarkCropper', scale=0))


def points(angle, distance=80.0):
    """Landmarks around (200, 100): eyes above, mouth below by half the distance, turned clockwise."""
    local = np.zeros((68, 2))
    local[[37, 40]], local[[43, 46]] = (-30, -distance / 2), (30, -distance / 2)
    local[[48, 54]] = (0, distance / 2)
    turn = np.array(((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))))
    return local @ turn.T + (200, 100)


def test_angles_around_half_a_turn_are_averaged():
    cropper = build_cropper(find_preset('liveportrait'))
    faces = [face(0, 0, 1, 1, points(math.pi - 0.1)), face(0, 0, 1, 1, points(-math.pi + 0.3))]
    assert math.remainder(cropper.region(faces, (200, 400)).angle - (math.pi + 0.1), 2 * math.pi) == pytest.approx(0)


@pytest.mark.parametrize('distance, upright', [(0.9, True), (1.1, False)])
def test_eyes_at_the_mouth_have_no_direction(distance, upright):
    region = build_cropper(find_preset('liveportrait')).region([face(0, 0, 1, 1, points(0.5, distance))], (200, 400))
    assert region.angle == (0 if upright else pytest.approx(0.5))


# ---- pixels ------------------------------------------------------------------
def test_one_pixel_inside_is_enough():
    frame = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for x, y in ((44, 15), (-4, 15), (20, 34), (20, -4)):  # 9 pixels of 10 are beyond the frame
        found = crop_region(frame, CropRegion(x, y, 10, 10))
        rows, columns = np.clip(np.arange(y - 5, y + 5), 0, 29), np.clip(np.arange(x - 5, x + 5), 0, 39)
        assert np.array_equal(found, frame[rows][:, columns])
        assert np.array_equal(crop_region(frame, CropRegion(x, y, 10, 10), exact=True), found)
    for x, y in ((45, 15), (-5, 15), (20, 35), (20, -5)):
        for exact in (False, True):
            with pytest.raises(UserError, match=f'around {x}, {y} has no pixel of the frame, which has 40x30'):
                crop_region(frame, CropRegion(x, y, 10, 10), exact=exact)


def test_the_resolution_of_a_turned_region():
    frame = np.zeros((30, 40, 3), np.uint8)
    assert crop_region(frame, CropRegion(20, 15, 12.5, 7.4, 0.1)).shape == (7, 13, 3)
    assert crop_region(frame, CropRegion(20, 15, 5000, 0.3, 0.1)).shape == (1, 4096, 3)
    assert crop_region(frame, CropRegion(20, 15, 0.3, 5000), exact=True).shape == (4096, 1, 3)


# ---- pasting -----------------------------------------------------------------
def weights(region, frame_size, feather):
    """Smoothsteps over the distances from four edges, by the coordinates of each pixel in the region."""
    y, x = np.mgrid[:frame_size[0], :frame_size[1]] + 0.5
    x, y = x - region.x, y - region.y
    across = (math.cos(region.angle) * x + math.sin(region.angle) * y) / region.width
    down = (math.cos(region.angle) * y - math.sin(region.angle) * x) / region.height
    result = 1.0
    for distance in (0.5 + across, 0.5 - across, 0.5 + down, 0.5 - down):
        part = (distance / feather).clip(0, 1)
        result = result * (3 * part**2 - 2 * part**3)
    return result


@pytest.mark.parametrize('region', [CropRegion(60, 50, 40, 30, 0.4), CropRegion(60.3, 50.6, 50, 64, -1.1),
                                    CropRegion(60, 50, 40, 30), CropRegion(15, 80, 40, 60, 0.3)])
@pytest.mark.parametrize('feather', [0.1, 0.5])
def test_the_weight_of_every_pixel(region, feather):
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)
    pasted = Paster(region, (100, 120), 32, feather=feather).paste(frame, white)
    assert np.abs(pasted[..., 2] - 255 * weights(region, (100, 120), feather)).max() <= 1


@pytest.mark.parametrize('gap, hard', [(0.5, True), (0.6, False)])
def test_an_edge_half_a_pixel_from_the_border_is_hard(gap, hard):
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    near, far = 20 + gap, 20 + gap
    for x, y, place in ((near, 50, np.s_[50, 1]), (120 - far, 50, np.s_[50, 118]), (60, near, np.s_[1, 60]),
                        (60, 100 - far, np.s_[98, 60])):
        pasted = Paster(CropRegion(x, y, 40, 40), (100, 120), 40, feather=0.25).paste(frame, white)
        assert (pasted[place] == 255).all() == hard


def test_the_feather_and_regions_of_no_size():
    assert defaults(Paster) == dict(feather=0.08)
    for feather in (-0.01, 0.51):
        with pytest.raises(ValueError, match='from 0 to 0.5'):
            Paster(CropRegion(60, 50, 40, 40), (100, 120), 40, feather=feather)
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    for region in (CropRegion(140, 50, 40, 40), CropRegion(-21.5, 50, 40, 40), CropRegion(60, 120, 40, 40)):
        assert not Paster(region, (100, 120), 40).paste(frame, white).any()
    assert Paster(CropRegion(60.5, 50.5, 0.3, 0.3), (100, 120), 40).paste(frame, white).sum() == 3 * 255


# ---- videos ------------------------------------------------------------------
def test_constants():
    assert (tracking.FIRST_LOOK, tracking.FIRST_LOOK_EVERY, tracking.MAX_FIRST_LOOK) == (8, 2.0, 64)
    assert (tracking.FOLLOW_EVERY, tracking.STAYS_WITHIN, tracking.MAX_JUMP) == (0.2, 1.5, 2.0)
    assert (tracking.NOISE, tracking.ACCELERATION) == (0.03, 0.5)
    person = person_tracking
    assert (person.DETECTION_EVERY, person.MIN_DETECTIONS, person.MIN_FOUND) == (0.2, 8, 0.25)
    assert (person.OUTLIER_SECONDS, person.OUTLIER_DISTANCE, person.SIZE_QUANTILE) == (1.0, 0.25, 0.95)
    assert presets.PERSON_CROP == dict(type='SquareCropper', scale=1.2)
    assert defaults(find_track) == dict(which='largest', follow='auto') and defaults(find_person_track) == dict(first=0)


@pytest.mark.parametrize('frames, rate, looks', [(50, 25.0, 8), (250, 25.0, 8), (200, 5.0, 20), (7, 25.0, 7)])
def test_how_many_frames_are_looked_at(frames, rate, looks):
    detector = Scripted(lambda number: [(100, 100, 120, 120)])
    assert not find_track(video(frames, rate), detector, SquareCropper(2.0)).moves
    assert len(detector.numbers) == looks and (detector.numbers[0], detector.numbers[-1]) == (0, frames - 1)


def test_a_moving_face_is_detected_five_times_a_second():
    detector = Scripted(lambda number: [(100 + 2 * number, 100, 120 + 2 * number, 120)])
    found = find_track(video(50), detector, SquareCropper(2.0))
    assert detector.numbers[8:] == [*range(0, 50, 5), 49]
    assert found.seconds.tolist() == [number / 25 for number in detector.numbers[8:]]


@pytest.mark.parametrize('shift, stays', [(10, True), (11, False)])
def test_a_face_of_twenty_pixels_stays_within_thirty(shift, stays):
    for axis in (0, 1):
        faces = [face(0, 0, 20, 20), face(*([shift, 0] if axis == 0 else [0, shift]),
                                          *([20 + shift, 20] if axis == 0 else [20, 20 + shift]))]
        assert tracking.stays(faces) is stays


@pytest.mark.parametrize('jump, followed', [(40, True), (41, False)])
def test_a_face_jumps_two_sides_at_most(jump, followed):
    boxes = [(100, 100, 120, 120), (100 + jump, 100, 120 + jump, 120)]
    found, _ = tracking._detect(video(2), np.arange(2), Scripted(lambda number: [boxes[number]]), 'largest', max_jump=2)
    assert (found[1] is not None) == followed


def test_a_resting_track_has_the_region_at_all_times():
    track = CropTrack.resting(CropRegion(1, 2, 3, 4, 0.5))
    assert not track.moves and track.at(-5) == track.at(7) == CropRegion(1, 2, 3, 4, 0.5)


def test_outliers_differ_by_more_than_the_limit_within_the_window():
    values, seconds = np.array((0.0, 1, 2, 9, 4, 5))[:, None], np.arange(6) * 0.2
    for limit, expected in ((4.99, [3]), (5, [])):  # 9 from the median 4 of all within 0.4 s
        assert np.flatnonzero(find_outliers(values, seconds, within=0.8, limit=limit)).tolist() == expected


def test_a_path_without_values_and_before_the_first_one():
    with pytest.raises(ValueError, match='all values are missing'):
        smooth_path(np.full((3, 2), np.nan), np.arange(3.0), noise=1, acceleration=1)
    values = np.array((np.nan, np.nan, 3, 4, 5.0))[:, None]
    smooth = smooth_path(values, np.arange(5.0), noise=0.1, acceleration=1)[:, 0]
    assert smooth == pytest.approx([2, 2, 3, 4, 5], abs=0.01)  # the motion goes on for a second at most


@pytest.mark.parametrize('shown, enough', [(2, True), (1, False)])
def test_a_person_is_found_in_a_quarter_of_the_frames(shown, enough):
    detector = Scripted(lambda number: [(100, 50, 120, 90)] if number < shown else [],
                        lambda *box: Person(np.array(box, np.float64), 1.0))
    search = find_person_track(video(8), detector, SquareCropper(1.0))
    assert detector.numbers == list(range(8)) and (search.searched, search.found) == (8, shown)
    assert (search.track is not None) == enough
