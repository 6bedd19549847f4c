import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video.face_crop import FACE_CROPS, CropBox, crop_frames, face_crop_box

FRAME = (480, 640)


def noise(*shape):
    return np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)  # no black pixel


@pytest.mark.parametrize('box, expected', [
    ((100, 50, 200, 130), (90, 30, 210, 150)),  # 100x80 around (150, 90): side 1.2 * 100
    ((100.2, 100.2, 190.2, 190.2), (91, 91, 199, 199)),  # 91.2 to 199.2
    ((0, 0, 100, 100), (0, 0, 120, 120)),  # from -10, moved right and down
    ((560, 400, 640, 480), (544, 384, 640, 480)),  # to 648 and 488, moved left and up
    ((-20, 100, 60, 180), (0, 92, 96, 188))])  # a detection that reaches beyond the frame
def test_square_of_voxceleb(box, expected):
    assert face_crop_box(np.array(box), FRAME) == expected


def test_margin_formula_of_fomm():
    left, top, right, bottom, a = 100, 50, 200, 130, 0.1
    width, height = right - left, bottom - top
    across = max(a, ((1 + 2 * a) * height - width) / (2 * width)) * width
    down = max(a, ((1 + 2 * a) * width - height) / (2 * height)) * height
    assert face_crop_box(np.array((left, top, right, bottom)), FRAME) == (
        left - across, top - down, right + across, bottom + down)


def test_square_of_float():
    assert face_crop_box(np.array((100, 50, 200, 130)), FRAME, FACE_CROPS['face_wide']) == (70, 10, 230, 170)


def test_one_square_for_the_union_of_a_clip():
    boxes = np.array(((100, 100, 140, 140), (120, 110, 180, 150)))  # union 100, 100, 180, 150
    assert face_crop_box(boxes, FRAME) == (92, 77, 188, 173)


@pytest.mark.parametrize('box, expected', [
    ((100, 0, 200, 100), (90, -10, 210, 110)),
    ((100, 20, 200, 140), (78, 0, 222, 144))])  # from 8: moved to contain the whole height
def test_a_square_larger_than_the_frame_contains_it(box, expected):
    assert face_crop_box(np.array(box), (100, 300)) == expected


@pytest.mark.parametrize('boxes, message', [
    (np.zeros((0, 4)), 'shape'), (np.zeros((2, 3)), 'shape'), (np.array((5, 5, 5, 9)), 'left < right'),
    (np.array((0, 0, np.nan, 9)), 'finite'), (np.array((700, 0, 710, 9)), 'outside the frame of 640x480')])
def test_wrong_boxes(boxes, message):
    with pytest.raises(ValueError, match=message):
        face_crop_box(boxes, FRAME)


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
