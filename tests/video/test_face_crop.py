import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import face_crop
from leokit.video.face_crop import CropBox, crop_frames


def noise(*shape):
    return np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)  # no black pixel


def test_pixels_inside_are_kept_and_those_beyond_the_frame_are_black():
    frames = noise(3, 4, 6, 3)
    assert np.array_equal(crop_frames(frames, CropBox(2, 1, 5, 4)), frames[:, 1:4, 2:5])
    padded = np.pad(frames, ((0, 0), (1, 1), (1, 0), (0, 0)))
    assert np.array_equal(crop_frames(frames, CropBox(-1, -1, 5, 5)), padded[:, :, :6])
    corner = crop_frames(frames, CropBox(5, 3, 9, 7))
    assert np.array_equal(corner[:, 0, 0], frames[:, 3, 5])
    corner[:, 0, 0] = 0
    assert not corner.any()


def test_cropped_frames_are_resized_by_areas():
    frames = noise(2, 40, 50, 3)
    means = frames[:, 4:36, 10:42].reshape(2, 8, 4, 8, 4, 3).mean(axis=(2, 4))
    assert np.abs(crop_frames(frames, CropBox(10, 4, 42, 36), 8) - means).max() <= 0.5 + 1e-6


@pytest.mark.parametrize('box', [(6, 0, 8, 2), (0, -3, 3, 0), (3, 0, 3, 2)])
def test_a_box_without_pixels(box):
    with pytest.raises(UserError, match='no pixel of the frames, which have 6x4'):
        crop_frames(noise(1, 4, 6, 3), CropBox(*box))


def test_wrong_frames():
    with pytest.raises(ValueError, match='uint8'):
        crop_frames(np.zeros((1, 4, 6, 3)), CropBox(0, 0, 2, 2))


def test_old_names_work_for_one_release():
    with pytest.warns(FutureWarning, match='Cropper.region'):
        box = face_crop.face_crop_box(np.array((100, 50, 200, 130)), (480, 640), face_crop.FACE_CROPS['face_wide'])
    assert box == (70, 10, 230, 170)  # half side 0.8 * 100 around (150, 90)
    with pytest.warns(FutureWarning, match='Cropper.region'):
        boxes = np.array(((100, 50, 180, 130), (120, 60, 200, 140)))  # together (100, 50, 200, 140)
        assert face_crop.face_crop_box(boxes, (480, 640)) == (90, 35, 210, 155)  # half side 0.6 * 100 around (150, 95)
    with pytest.raises(AttributeError, match='no attribute'):
        face_crop.nothing
