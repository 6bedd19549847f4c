import numpy as np
import pytest
import torch
from feature_extractors.photographs import astronaut_face
from torch.nn import functional as F

from leokit.registry import FEATURE_EXTRACTORS

# the iBUG scheme
JAW, NOSE_TIP, LEFT_EYE, RIGHT_EYE, MOUTH = slice(0, 17), 30, slice(36, 42), slice(42, 48), slice(48, 68)


@pytest.fixture(scope='module')
def extractor():
    return FEATURE_EXTRACTORS.build(dict(type='FaceLandmarks'))


def points(extractor, images):
    return extractor(images).unflatten(1, (68, 2))


def test_finds_the_parts_of_a_face(extractor):
    face = points(extractor, astronaut_face())[0]
    left_eye, right_eye, mouth = (face[part].mean(dim=0) for part in (LEFT_EYE, RIGHT_EYE, MOUTH))
    assert left_eye[0] < face[NOSE_TIP, 0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < face[NOSE_TIP, 1] < mouth[1] < face[JAW, 1].max()
    assert ((face > 0) & (face < 256)).all()


def test_points_are_in_pixels_of_the_given_image(extractor):
    face = astronaut_face()
    reference = points(extractor, face)
    shifted = points(extractor, F.pad(face, (20, 0, 40, 0), mode='replicate'))
    assert (shifted - reference - torch.tensor([20.0, 40.0])).abs().mean() < 2
    half = points(extractor, F.avg_pool2d(face, 2))
    assert (2 * half + 0.5 - reference).abs().mean() < 1.5


def test_a_pixel_of_the_search_is_the_middle_of_its_pixels(extractor, monkeypatch):
    """Faces are searched at half the size, where pixel p stands for the pixels 2 p and 2 p + 1."""
    found = np.zeros((68, 2))
    found[1], found[2] = (383, 0), (10, 255)
    monkeypatch.setattr(extractor, 'map_faces', lambda images, function: [None, found])
    indices, values = extractor.describe(torch.zeros(2, 3, 512, 768))
    assert indices.tolist() == [1] and values.dtype == torch.float32
    assert values.view(68, 2)[:4].tolist() == [[0.5, 0.5], [766.5, 0.5], [20.5, 510.5], [0.5, 0.5]]


def test_frames_without_a_face_are_nan(extractor):
    detected = extractor.extract(torch.cat((torch.zeros(1, 3, 256, 256), astronaut_face())))
    assert detected.found.tolist() == [False, True]
    assert detected.values[0].isnan().all() and detected.values[1].isfinite().all()
    assert extractor(torch.zeros(1, 3, 64, 48)).shape == (1, extractor.dim)
    with pytest.raises(ValueError, match=r'images must have shape \(\*, 3, \*, \*\)'):
        extractor.extract(torch.zeros(1, 1, 64, 48))


def test_it_stays_in_evaluation_mode(extractor):
    assert not extractor.training
