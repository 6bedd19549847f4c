import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data

from leokit.feature_extractors import face_input
from leokit.feature_extractors.face_detection import detect_faces
from leokit.utils import UserError
from leokit.video import FramesHandle

pytestmark = pytest.mark.filterwarnings("ignore:the function 'detect_faces' was renamed")
EYES_AND_MOUTH = np.array(((204, 101), (247, 101), (223, 145)))  # of the astronaut, marked by hand
COLLAR_AND_FOREHEAD = np.array(((221, 200), (225, 60)))


def inside(points, box):
    return (points >= box[:2]).all(axis=1) & (points < box[2:]).all(axis=1)


def check(box, scale=1, offset=(0, 0)):
    """The box of the astronaut's face in a picture that shows her at another size and position."""
    assert inside(EYES_AND_MOUTH * scale + offset, box).all()
    assert not inside(COLLAR_AND_FOREHEAD * scale + offset, box).any()


@pytest.mark.parametrize('scale, offset', [(1, (0, 0)), (2, (300, 0)), (0.75, (50, 40))])
def test_a_photograph_of_any_size_and_position(scale, offset):
    size = round(512 * scale)
    frame = np.zeros((size + 2 * offset[1], size + 2 * offset[0], 3), np.uint8)
    frame[offset[1]:offset[1] + size, offset[0]:offset[0] + size] = Image.fromarray(data.astronaut()).resize(
        (size, size))
    boxes = detect_faces(frame[None])
    assert boxes.shape == (1, 4)
    check(boxes[0], scale, offset)


def test_the_largest_face_of_each_frame_that_has_one():
    face = data.astronaut()[:256, 100:356]
    large = np.asarray(Image.fromarray(face).resize((384, 384)))
    frames = np.zeros((3, 384, 660, 3), np.uint8)
    frames[0, :256, :256] = face
    frames[0, :, 256:640] = large
    frames[2, :, 276:] = large
    boxes = detect_faces(frames)
    assert boxes.shape == (2, 4)
    check(boxes[0], 1.5, (256 - 150, 0))
    check(boxes[1], 1.5, (276 - 150, 0))


def test_no_face_and_wrong_frames():
    assert detect_faces(data.coffee()[None, :200, :200]) is None
    with pytest.raises(ValueError, match='uint8'):
        detect_faces(np.zeros((1, 200, 200, 3)))


def test_the_package_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, 'dlib', None)
    with pytest.raises(UserError, match='leokit.identity.'):
        detect_faces(np.zeros((1, 200, 200, 3), np.uint8))


def test_old_names_of_face_crops_work_and_name_the_new_ones():
    image = data.astronaut()
    with pytest.warns(FutureWarning, match='FaceCropper.image'):
        square = face_input.crop_image_to_face(image, 'face')
    with pytest.warns(FutureWarning, match='find_face_box'):
        box = face_input.find_face_box(FramesHandle(image[None]), 'face')
    with pytest.warns(FutureWarning, match='FaceCropper.video'):
        video = face_input.crop_video_to_face(FramesHandle(image[None].repeat(2, 0)), 'face')
    assert np.array_equal(square, image[box.top:box.bottom, box.left:box.right])
    empty = np.zeros_like(image)
    with pytest.warns(FutureWarning):  # in a part of the video
        handle = FramesHandle(np.stack([empty, image, empty]))
        assert face_input.find_face_box(handle, 'face', 1, 2) == box
        assert face_input.find_face_box(handle, 'face', 2) is None
        assert face_input.find_face_box(handle, 'face', 0, 1) is None
    frames = video.read([0, 1])
    assert frames.shape == (2, *square.shape) and np.abs(frames[1].astype(int) - square).mean() < 2
    with pytest.raises(UserError, match='no face was found in the coffee'), pytest.warns(FutureWarning):
        face_input.crop_image_to_face(data.coffee()[:200, :200], 'face', 'the coffee')
