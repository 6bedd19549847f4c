"""Sources and driving videos cropped to faces, and pasted back; expected pixels are cut out by hand."""

import logging

import numpy as np
import pytest
import torch

from leokit.croppers import CropRegion
from leokit.face_detectors import Face
from leokit.inference import FaceCropper, paste_into_image
from leokit.inference import face_cropper as module
from leokit.inference.face_cropper import CroppedImage, whole_region
from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.video import FramesHandle
from leokit.video.resize import fit_to_tensor
from support.tiny_models import SIZE, make_animator

CROP = dict(type='SquareCropper', scale=2.0)


class Detector:
    """Finds what it is told to find."""

    has_landmarks = False

    def __init__(self, *boxes):
        self.faces = [Face(np.array(box, np.float64), 1.0) for box in boxes]

    def detect(self, frame, *, thorough=False):
        return self.faces


def cropper(*boxes, face_crop=None, **options):
    animator = make_animator()
    animator.face_crop = face_crop
    made = FaceCropper(animator, **options)
    made.__dict__['detector'] = Detector(*boxes)
    return made


def noise(height=100, width=160, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_input(pixels):
    return from_uint8(fit_to_tensor(pixels[None], SIZE, 'none'))


def test_a_model_without_a_face_crop_takes_the_whole_image():
    image = noise()
    cropped = cropper((10, 10, 30, 30)).image(image)
    assert not cropped.is_face and cropped.regions == (CropRegion(80, 50, 100, 100),)
    assert torch.equal(cropped.images, as_input(image[:, 30:130]))
    squeezed = cropper(crop='none').image(image)
    assert squeezed.regions == (CropRegion(80, 50, 160, 100),) and torch.equal(squeezed.images, as_input(image))


def test_a_model_with_a_face_crop_takes_the_face():
    image = noise()
    cropped = cropper((100, 20, 116, 40), face_crop=CROP).image(image)
    assert cropped.is_face and cropped.regions == (CropRegion(108, 30, 40, 40),)
    assert torch.equal(cropped.images, as_input(image[10:50, 88:128]))


def test_an_image_that_is_cropped_already_stays_whole():
    image = noise(100, 100)
    assert not cropper((25, 25, 75, 75), face_crop=CROP).image(image).is_face
    assert not cropper((28, 28, 72, 72), face_crop=CROP).image(image).is_face  # 88 x 88 of 100 x 100 pixels
    assert cropper((35, 35, 65, 65), face_crop=CROP).image(image).is_face
    assert cropper((25, 25, 75, 75), crop=CROP).image(image).is_face  # asked for


def test_without_a_face(monkeypatch):
    messages = []
    monkeypatch.setattr(module, 'print_log', lambda text, logger, level=logging.INFO: messages.append(text))
    assert not cropper(face_crop=CROP).image(noise(), 'a.png').is_face
    assert cropper(face_crop=CROP).track(FramesHandle(noise()[None])) is None
    assert [text.split(';')[0] for text in messages] == [
        'no face was found in a.png', 'no face was found in frames in memory']
    with pytest.raises(UserError, match='no face was found in a.png'):
        cropper(crop=CROP).image(noise(), 'a.png')
    with pytest.raises(UserError, match='no face was found in frames in memory'):
        cropper(crop=CROP).video(FramesHandle(noise()[None]))


def test_without_a_detector(monkeypatch):
    messages = []
    monkeypatch.setattr(module, 'print_log', lambda text, logger, level=logging.INFO: messages.append(text))
    monkeypatch.setattr(module, 'is_detector_installed', lambda: False)
    assert not cropper((100, 20, 116, 40), face_crop=CROP).image(noise()).is_face
    assert len(messages) == 1 and 'pip install "leokit[faces]"' in messages[0]


@pytest.mark.parametrize('options', [dict(face_crop=CROP), dict(crop=CROP)])
def test_a_face_that_the_border_cuts(options):
    with pytest.raises(UserError, match='the border of a.png cuts through the face'):
        cropper((0, 20, 16, 40), **options).image(noise(), 'a.png')
    with pytest.raises(UserError, match='the border of frames in memory cuts through the face'):
        cropper((150, 20, 160, 40), **options).video(FramesHandle(noise()[None]))


def test_several_faces():
    boxes = (100, 20, 120, 40), (30, 60, 44, 74), (0, 20, 16, 40)  # the last one is cut
    image = noise()
    assert cropper(*boxes, crop=CROP, face='all').image(image).regions == (
        CropRegion(37, 67, 28, 28), CropRegion(110, 30, 40, 40))
    assert cropper(*boxes, crop=CROP, face='right').image(image).regions == (CropRegion(110, 30, 40, 40),)
    assert cropper(*boxes, crop=CROP, face=1).image(image).regions == (CropRegion(37, 67, 28, 28),)
    with pytest.raises(UserError, match='a face can be chosen only if the crop is one to faces'):
        cropper(*boxes, face='left')
    with pytest.raises(UserError, match='one face drives'):
        cropper(*boxes, crop=CROP, driving_face='all')
    with pytest.raises(UserError, match='is a video, of which one face is animated'):
        cropper(*boxes, crop=CROP, face='all').track(FramesHandle(noise()[None]))


def test_the_driving_face_is_another_choice():
    made = cropper((100, 20, 120, 40), (30, 60, 44, 74), crop=CROP, face='right', driving_face='left')
    image = noise()
    assert torch.equal(made.driving_image(image), as_input(image[53:81, 23:51]))
    assert made.face == 'right'
    video = made.video(FramesHandle(np.stack([image] * 3)))
    assert np.array_equal(fit_to_tensor(video.read([2]), SIZE)[0], fit_to_tensor(image[None, 53:81, 23:51], SIZE)[0])


def test_whole_regions_are_what_training_takes():
    image = noise(101, 160)
    for crop in ('center', 'none'):
        left, top, right, bottom = whole_region((101, 160), crop).to_box()
        assert torch.equal(fit_to_tensor(image[None, top:bottom, left:right], SIZE, 'none'),
                           fit_to_tensor(image[None], SIZE, crop))


def test_faces_are_pasted_into_the_image():
    image = np.full((100, 160, 3), 100, np.uint8)
    regions = CropRegion(40, 50, 32, 32), CropRegion(120, 50, 32, 32)
    source = CroppedImage(image, regions, torch.zeros(2, 3, SIZE, SIZE), True)
    chunks = [torch.full((2, 11, 3, SIZE, SIZE), 1.0), torch.full((2, 2, 3, SIZE, SIZE), -1.0)]
    chunks[0][1] = 0.0
    frames = torch.cat(list(paste_into_image(chunks, source)), dim=1)
    assert frames.shape == (1, 13, 3, 100, 160) and frames.dtype == torch.uint8
    assert frames[0, 0, 0, 50, 40] == 255 and frames[0, 10, 0, 50, 120] == 128 and frames[0, 12, 0, 50, 40] == 0
    assert (frames[0, :, :, :30] == 100).all() and (frames[0, :, :, 50, 80] == 100).all()


def test_large_images_are_shrunk():
    image = np.full((100, 160, 3), 100, np.uint8)
    source = CroppedImage(image, (CropRegion(40, 50, 32, 32),), torch.zeros(1, 3, SIZE, SIZE), True)
    frames, = paste_into_image([torch.ones(1, 1, 3, SIZE, SIZE)], source, max_side=80)
    assert frames.shape == (1, 1, 3, 50, 80)
    assert frames[0, 0, 0, 25, 20] == 255 and frames[0, 0, 0, 25, 30] == 100  # the face is at half the coordinates
