"""Faces of an image with all of its pixels: pasted back, they are the image."""

import numpy as np
import pytest
import torch

from leokit.croppers import CropRegion
from leokit.inference import detailed_faces, paste_into_image
from leokit.inference.face_cropper import CroppedImage

SIZE = 64  # of the model


def cropped(side):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 320, 3), np.uint8)
    return CroppedImage(pixels, (CropRegion(20 + side / 2, 30 + side / 2, side, side),), torch.zeros(1, 3, SIZE, SIZE),
                        True)


@pytest.mark.parametrize('side', [200, 201])
def test_they_have_every_pixel(side):
    image = cropped(side)
    frames, = paste_into_image([detailed_faces(image)[:, None]], image)
    assert np.array_equal(frames[0, 0].permute(1, 2, 0), image.pixels)


def test_shrunk_with_the_image():
    assert detailed_faces(cropped(200), max_side=160).shape == (1, 3, 100, 100)


def test_small_faces_have_the_resolution_of_the_model():
    assert detailed_faces(cropped(40)).shape == (1, 3, SIZE, SIZE)
