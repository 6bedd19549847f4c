"""Regions of faces in videos: at rest, followed, smoothed."""

import numpy as np
import pytest

from leokit.croppers import CropRegion, CroppedVideo, CropTrack, SquareCropper, find_track
from leokit.croppers.smoothing import smooth_path
from leokit.croppers.tracking import detection_distance as distance_of_faces
from leokit.face_detectors import Face
from leokit.utils import UserError
from leokit.video import FramesHandle

SIDE = 20


def draw(centers, size=(120, 200), side=SIDE):
    """Frames with a white square at each center; None for none."""
    frames = np.zeros((len(centers), *size, 3), np.uint8)
    for frame, center in zip(frames, centers):
        for x, y in [center] if center is not None and not isinstance(center, list) else center or []:
            frame[y - side // 2:y + side // 2, x - side // 2:x + side // 2] = 255
    return frames


class SquareDetector:
    """Finds the white squares."""

    has_landmarks = False

    def __init__(self):
        self.calls = 0

    def detect(self, frame, *, thorough=False):
        import cv2
        self.calls += 1
        count, _, stats, _ = cv2.connectedComponentsWithStats((frame[..., 0] > 127).astype(np.uint8))
        return [Face(np.array((x, y, x + w, y + h), np.float64), 1.0) for x, y, w, h, _ in stats[1:count]]


def track(centers, fps=25.0, **options):
    return find_track(FramesHandle(draw(centers), fps), SquareDetector(), SquareCropper(2.0), **options)


def test_a_face_that_stays_has_one_region():
    found = track([(100 + number % 8, 60) for number in range(50)])
    assert not found.moves
    # seen at frames 0, 7, 14, ...: x from 100 to 107; the union is 27 wide
    assert found.at(0.0) == found.at(1.9)
    assert found.at(0).width == pytest.approx(2 * 27)
    assert found.at(0)[:2] == pytest.approx((103.5, 60))


def test_a_face_that_moves_is_followed():
    centers = [(40 + 2 * number, 60) for number in range(50)]
    found = track(centers)
    assert found.moves
    for number in (0, 7, 23, 49):
        assert found.at(number / 25)[:2] == pytest.approx((centers[number][0], 60), abs=0.2)
        assert found.at(number / 25).width == pytest.approx(2 * SIDE)
    assert not track(centers, follow='never').moves
    assert track(centers, follow='never').at(0).width == pytest.approx(2 * 118)
    assert track([(100, 60)] * 50, follow='always').moves
    with pytest.raises(UserError, match='follow must be one of auto, always, never'):
        track(centers, follow='yes')


def test_a_face_that_moves_up_and_down_is_followed():
    assert track([(100, 30 + number) for number in range(60)]).moves
    assert not track([(100, 50 + number % 9) for number in range(60)]).moves


def test_the_turn_of_a_face_is_smoothed():
    rng = np.random.default_rng(0)
    measured = rng.normal(0, 0.05, 41)  # radians, of a face that does not turn

    class Turning(SquareCropper):
        def region(self, faces, frame_size):
            angle = measured[round((faces[0].center[0] - 50) / 2)]
            return super().region(faces, frame_size)._replace(angle=angle)

    video = FramesHandle(draw([(50 + 2 * (number // 5), 60) for number in range(201)]))
    found = find_track(video, SquareDetector(), Turning(2.0), follow='always')
    smoothed = found.regions[:, 4]
    assert np.abs(np.diff(smoothed, 2)).mean() < 0.25 * np.abs(np.diff(measured, 2)).mean()
    assert np.abs(smoothed).mean() > 0.005


def test_frames_without_a_detection_are_filled_in():
    centers = [(40 + 2 * number, 60) if not 15 <= number <= 30 and number > 2 else None for number in range(50)]
    found = track(centers)
    for number in (15, 20, 30):
        assert found.at(number / 25)[:2] == pytest.approx((40 + 2 * number, 60), abs=1)


def test_the_chosen_face_is_followed_past_another():
    centers = [[(30 + 2 * number, 40), (170 - 2 * number, 80)] for number in range(60)]
    left, right = track(centers, which='left'), track(centers, which='right')
    for number in (0, 30, 59):
        assert left.at(number / 25)[:2] == pytest.approx((30 + 2 * number, 40), abs=0.5)
        assert right.at(number / 25)[:2] == pytest.approx((170 - 2 * number, 80), abs=0.5)


def test_no_face_and_a_cut_face():
    with pytest.raises(UserError, match='no face was found in frames in memory'):
        track([None] * 10)
    with pytest.raises(UserError, match='the border of frames in memory cuts through the face'):
        track([(10, 60)] * 10)


def test_long_videos_are_looked_at_sparsely():
    detector = SquareDetector()
    frames = np.broadcast_to(draw([(100, 60)])[0], (25 * 400, 120, 200, 3))
    find_track(FramesHandle(frames), detector, SquareCropper(2.0))
    assert detector.calls == 64


def test_the_crop_moves_with_the_face():
    centers = [(40 + 2 * number, 60) for number in range(50)]
    video = FramesHandle(draw(centers))
    cropped = CroppedVideo(video, track(centers), 40)
    frames = cropped.read(range(50)).astype(int)
    assert frames.shape == (50, 40, 40, 3)
    assert np.abs(frames - draw([(20, 20)], (40, 40))[0]).mean() < 3  # the square stays in the middle
    slow = cropped.at_rate(5)  # by the times of the frames
    assert len(slow) == 10 and np.abs(slow.read(range(10)).astype(int) - draw([(20, 20)], (40, 40))[0]).mean() < 3


def test_the_crop_of_a_face_that_leaves_stays_in_the_frame():
    centers = [(40 + 8 * number, 60) if number < 20 else None for number in range(60)]  # 200 pixels a second, to 192
    path = track(centers)
    assert path.at(0.6).x == pytest.approx(40 + 8 * 15, abs=2)
    assert path.at(59 / 25).x == pytest.approx(200) and path.at(59 / 25).y == pytest.approx(60, abs=1)


def test_interpolation_between_times():
    found = CropTrack(np.array((0., 2.)), np.array(((10, 20, 30, 40, 0.), (20, 20, 50, 40, 1.))))
    assert found.at(0.5) == CropRegion(12.5, 20, 35, 40, 0.25)
    assert found.at(-1) == CropRegion(10, 20, 30, 40, 0) and found.at(9) == CropRegion(20, 20, 50, 40, 1)


def test_smoothing_is_the_posterior_mean():
    """Against the mean of the joint Gaussian of all times, solved at once."""
    rng = np.random.default_rng(0)
    seconds = np.cumsum(rng.uniform(0.1, 0.4, 14))
    values = rng.normal(size=(14, 2))
    values[[0, 1, 6, 7, 13]] = np.nan
    noise, acceleration = 0.3, 0.7
    found = smooth_path(values, seconds, noise=noise, acceleration=acceleration)
    # position p0 + v0 (t - t0) + sum of pushes, from the first measurement on; prior of p0: that measurement; of v0:
    # a tenth as certain as a push. Before it, p0 + v0 (t - t0).
    start, steps = 2, np.diff(seconds[2:])
    basis = np.zeros((14, 2 + len(steps)))
    basis[:, 0], basis[:, 1] = 1, seconds - seconds[start]
    for number, step in enumerate(steps):
        after = seconds[start + number + 1:] - seconds[start + number + 1]
        basis[start + number + 1:, 2 + number] = acceleration * (step ** 2 / 2 + step * after)
    prior = np.diag([noise ** 2, (10 * acceleration) ** 2, *np.ones(len(steps))])
    known = ~np.isnan(values[:, 0])
    known[start] = False  # it is the prior's mean
    design = basis[known]
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + noise ** 2 * np.eye(known.sum()))
    mean = np.zeros((2 + len(steps), 2))
    mean[0] = values[start]
    expected = basis @ (mean + gain @ (values[known] - design @ mean))
    assert found == pytest.approx(expected, abs=1e-8)


def test_both_ends_of_a_path_go_on_for_a_second():
    seconds = np.arange(0, 8, 0.2)
    values = 3 + 2 * seconds[:, None]  # two units a second
    values[(seconds < 1.9) | (seconds > 5.1)] = np.nan  # known from 2.0 to 5.0 s
    found = smooth_path(values, seconds, noise=0.01, acceleration=1.0)[:, 0]
    assert found == pytest.approx(3 + 2 * np.clip(seconds, 1, 6), abs=0.02)
    backwards = smooth_path(values[::-1], seconds, noise=0.01, acceleration=1.0)[::-1, 0]
    assert found == pytest.approx(backwards, abs=1e-3)
    single = np.full((5, 1), np.nan)
    single[2] = 7.0
    assert smooth_path(single, np.arange(5.0), noise=0.1, acceleration=1.0).tolist() == [[7.0]] * 5


def test_the_distance_of_faces_is_in_sides_plus_the_logarithm_of_the_size():
    def face(left, top, side):
        return Face(np.array([left, top, left + side, top + side], float), 1.0)

    assert distance_of_faces(face(0, 0, 10), face(0, 0, 10)) == 0
    assert distance_of_faces(face(30, 40, 10), face(0, 0, 10)) == pytest.approx(5)
    assert distance_of_faces(face(5, 5, 10), face(0, 0, 20)) == pytest.approx(np.log(2))
    assert distance_of_faces(face(-5, -5, 20), face(0, 0, 10)) == pytest.approx(np.log(2))
