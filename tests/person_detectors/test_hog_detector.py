"""OpenCV's people detector: where its boxes lie, and what is said where OpenCV does not have it."""

import cv2
import numpy as np
import pytest

from leokit.person_detectors import HOGPersonDetector, build_person_detector
from leokit.utils import UserError


def draw_person(frame, left, top, height):
    """A dark figure, standing, from the top of its head to its feet; a third as wide as tall."""
    unit = height / 96

    def ellipse(x, y, across, down):
        center = round(left + x * unit), round(top + y * unit)
        cv2.ellipse(frame, center, (round(across * unit), round(down * unit)), 0, 0, 360, (40, 35, 45), -1, cv2.LINE_AA)

    ellipse(16, 8, 6, 8)  # head
    ellipse(16, 32, 11, 17)  # trunk
    for side in (-1, 1):
        ellipse(16 + 12 * side, 38, 4, 18)  # arms
        ellipse(16 + 6 * side, 70, 5, 26)  # legs


def scene(left, top, height, size=(240, 320)):
    frame = np.full((*size, 3), 190, np.uint8)
    draw_person(frame, left, top, height)
    return cv2.GaussianBlur(frame, (3, 3), 0)


@pytest.mark.skipif(not hasattr(cv2, 'HOGDescriptor'), reason='this OpenCV has no HOG detector')
@pytest.mark.parametrize('left, top, height', [(140, 60, 110), (20, 40, 150), (240, 20, 200)])
def test_a_drawn_person_is_found_where_it_stands(left, top, height):
    person, *_ = HOGPersonDetector().detect(scene(left, top, height))
    assert person.center == pytest.approx((left + height / 6, top + height / 2), abs=0.12 * height)
    assert person.side == pytest.approx(height, rel=0.2)
    assert HOGPersonDetector().detect(np.full((240, 320, 3), 190, np.uint8)) == []
    assert HOGPersonDetector(min_score=50).detect(scene(left, top, height)) == []


class Windows:
    """In place of OpenCV's detector: two windows in the frame that it is given, the smaller one first."""

    shape = None

    def setSVMDetector(self, weights):
        assert weights == 'weights'

    def detectMultiScale(self, gray, winStride, scale):
        Windows.shape = gray.shape
        return np.array([(64, 64, 32, 64), (96, 80, 64, 128), (0, 0, 128, 256)]), np.array([1.5, 0.75, 0.25])


def test_windows_become_boxes_of_the_frame(monkeypatch):
    monkeypatch.setattr(cv2, 'HOGDescriptor', Windows, raising=False)
    monkeypatch.setattr(cv2, 'HOGDescriptor_getDefaultPeopleDetector', lambda: 'weights', raising=False)
    found = HOGPersonDetector(resolution=320, padding=0.2, min_score=0.5).detect(np.zeros((480, 640, 3), np.uint8))
    # The frame is halved to 320x240, with a border of 64 on all sides. A person fills 3/4 of a window's height, and the
    # middle 3/4 of its width: (96 + 8 - 64) * 2 = 80 and so on.
    assert Windows.shape == (240 + 128, 320 + 128)
    assert [person.box.tolist() for person in found] == [[80, 64, 176, 256], [8, 16, 56, 112]]
    assert [person.score for person in found] == [0.75, 1.5]


def test_an_opencv_without_the_detector(monkeypatch):
    monkeypatch.delattr(cv2, 'HOGDescriptor', raising=False)
    with pytest.raises(UserError, match='opencv-python<5, or opencv-contrib-python'):
        build_person_detector('hog')
    with pytest.raises(UserError, match="unknown person detector 'yolo'; choose one of torchvision, hog"):
        build_person_detector('yolo')
