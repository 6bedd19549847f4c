"""The crop of clips around people: at rest, followed, among false detections."""

import numpy as np
import pytest

from leokit.croppers import SquareCropper, find_person_track
from leokit.croppers.smoothing import find_outliers
from leokit.person_detectors import Person, PersonDetector
from leokit.video import FramesHandle

RATE, WIDTH, HEIGHT = 25.0, 20, 40  # of the person
FRAME = (100, 400)


class Scripted(PersonDetector):
    """Finds what a function says of the number of a frame, which is its pixel value."""

    def __init__(self, people):
        self.people = people
        self.numbers = []

    def detect(self, frame):
        self.numbers.append(int(frame[0, 0, 0]))
        return [Person(np.array((x - width / 2, y - height / 2, x + width / 2, y + height / 2)), score)
                for x, y, width, height, score in self.people(self.numbers[-1])]


def search(people, frames=150, first=0, last=None, cropper=None):
    video = FramesHandle(np.broadcast_to(np.arange(frames, dtype=np.uint8)[:, None, None, None],
                                         (frames, *FRAME, 3)), RATE)
    detector = Scripted(people)
    return find_person_track(video, detector, cropper or SquareCropper(1.25), first, last), detector.numbers


def walk(number):
    return 60 + 1.5 * number


def test_a_person_who_stays_has_one_region():
    (track, searched, found), numbers = search(lambda number: [(200 + number % 7, 50, WIDTH, HEIGHT, 1.0)])
    assert numbers[:3] == [0, 5, 10] and numbers[-1] == 149  # five times a second
    assert (searched, found) == (len(numbers), len(numbers)) and not track.moves
    # the union of the boxes is 26 wide and 40 tall
    assert track.at(0) == pytest.approx((203, 50, 50, 50, 0))


def test_a_person_who_walks_is_followed_at_constant_size():
    (track, *_), _ = search(lambda number: [(walk(number), 50, WIDTH, HEIGHT * (1 + 0.1 * np.sin(number)), 1.0)])
    assert track.moves
    for number in (0, 20, 77, 149):
        x, y, width, height, _ = track.at(number / RATE)
        assert (x, y) == pytest.approx((walk(number), 50), abs=1)
        assert width == height == track.at(0).width
    assert 1.25 * HEIGHT < track.at(0).width <= 1.1 * 1.25 * HEIGHT  # the quantile 0.95 of 36 to 44


def test_noise_of_the_detector_is_smoothed():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05 * HEIGHT, (150, 2))
    (track, *_), numbers = search(lambda number: [(walk(number) + noise[number, 0], 50 + noise[number, 1],
                                                   WIDTH, HEIGHT, 1.0)])
    truth = np.array([(walk(number), 50) for number in numbers])
    errors = np.abs(np.array([track.at(number / RATE)[:2] for number in numbers]) - truth)
    before = np.abs(noise[numbers])
    assert errors.mean() < 0.6 * before.mean()
    shake = np.abs(np.diff(track.regions[:, :2], 2, axis=0)).mean()
    assert shake < 0.2 * np.abs(np.diff(truth + noise[numbers], 2, axis=0)).mean()


def test_false_detections_and_gaps_do_not_move_the_crop():
    def people(number):
        if 50 <= number < 75:
            return []
        if number == 100:
            return [(walk(number) + 20, 30, 10, 20, 1.0)]  # a part of the person
        others = [(390, 80, 60, 120, 0.6)] if number < 20 else []  # larger, but less certain
        return others + [(walk(number), 50, WIDTH, HEIGHT, 0.9)]
    (track, searched, found), _ = search(people)
    assert found == searched - 6
    for number in (0, 10, 60, 100, 149):
        assert track.at(number / RATE)[:2] == pytest.approx((max(walk(number), 0), 50), abs=1)


def test_a_part_of_a_video():
    (track, *_), numbers = search(lambda number: [(walk(number), 50, WIDTH, HEIGHT, 1.0)], first=40, last=120)
    assert (numbers[0], numbers[-1]) == (40, 119)
    assert track.at(100 / RATE)[:2] == pytest.approx((walk(100), 50), abs=1)  # seconds of the video


def test_the_region_stays_in_the_frame():
    (track, *_), _ = search(lambda number: [(2.5 * number, 50, WIDTH, HEIGHT, 1.0)])
    lefts = track.regions[:, 0] - track.regions[:, 2] / 2
    assert lefts.min() == 0 and (track.regions[:, 0] + track.regions[:, 2] / 2).max() <= FRAME[1]


@pytest.mark.parametrize('people', [lambda number: [], lambda number: [(50, 50, 20, 40, 1.0)] if number < 10 else []])
def test_nobody(people):
    (track, searched, found), _ = search(people)
    assert track is None and found in (0, 2) and searched == 31


def test_outliers():
    seconds = np.arange(9) * 0.2
    values = np.array((0, 1, 2, 9, 4, 5, np.nan, 7, 8.))[:, None]
    found = find_outliers(values, seconds, within=0.8, limit=2.5)
    # medians of up to five values: at 9 of (1, 2, 9, 4, 5), 4; at 8 of (7, 8), 7.5; at 0 of (0, 1, 2), 1
    assert found.tolist() == [False, False, False, True, False, False, False, False, False]
    assert not find_outliers(values, seconds, within=0.8, limit=5.5).any()
    assert find_outliers(values, seconds, within=0.1, limit=0.1).sum() == 0  # alone, each is its median
