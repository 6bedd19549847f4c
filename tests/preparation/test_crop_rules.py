"""Boxes of the metadata in pixels of the file, by arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from leokit.preparation import MetadataBox
from leokit.preparation.crop_rules import CropError, FrameSize, celebv_hq_box, mask_box, stated_box, voxceleb_box
from leokit.video.readers import ArrayReader


def box(*sides, reference):
    return MetadataBox(*map(Fraction, map(str, sides)), reference)


def test_a_stated_box_is_scaled_and_rounded_down():
    assert stated_box(box(11, 21, 111, 121, reference=(640, 360)), FrameSize(640, 360)) == (11, 21, 111, 121)
    assert stated_box(box(11, 21, 111, 121, reference=(640, 360)), FrameSize(320, 180)) == (5, 10, 55, 60)
    assert stated_box(box(11, 21, 111, 121, reference=(640, 360)), FrameSize(1920, 1080)) == (33, 63, 333, 363)


def test_a_box_that_leaves_the_frame_is_cut_off_and_a_foreign_one_refused():
    assert stated_box(box(560, 300, 660, 400, reference=(640, 400)), FrameSize(640, 400)) == (560, 300, 640, 400)
    with pytest.raises(CropError, match='in a frame of 640x400') as error:
        stated_box(box(600, 300, 700, 400, reference=(640, 400)), FrameSize(640, 400))
    assert error.value.reason == 'crop outside the frame'


def test_another_shape_of_the_frame_is_noticed():
    with pytest.raises(CropError, match='refers to 640x360, the video has 640x480') as error:
        stated_box(box(11, 21, 111, 121, reference=(640, 360)), FrameSize(640, 480))
    assert error.value.reason == 'other aspect ratio'
    stated_box(box(11, 21, 111, 121, reference=(640, 360)), FrameSize(854, 480))  # 16:9 in even numbers


def test_pixels_of_an_unknown_frame_must_lie_in_the_frame():
    inside = box(100, 100, 612, 612, reference=None)
    assert stated_box(inside, FrameSize(1280, 720)) == (100, 100, 612, 612)
    with pytest.raises(CropError) as error:
        stated_box(inside, FrameSize(1000, 562))  # most of it is inside
    assert error.value.reason == 'crop outside the frame'


def test_celebv_hq():
    """Sides 0.02 of the frame outward, cut off at the frame, then the largest central square."""
    # 1000x500: left 200 - 20, right 600 + 20, top 100 - 10, bottom 300 + 10: 440x220 about (400, 200)
    assert celebv_hq_box(box('.2', '.2', '.6', '.6', reference=(1, 1)), FrameSize(1000, 500)) == (290, 90, 510, 310)
    # top at the edge of the frame: 0 to 310, 310 / 2 = 155 about (400, 155)
    assert celebv_hq_box(box('.2', 0, '.6', '.6', reference=(1, 1)), FrameSize(1000, 500)) == (245, 0, 555, 310)


def mask(tmp_path, *areas, size=(100, 160)):
    frames = np.full((len(areas), *size, 3), 255, np.uint8)
    for frame, (left, top, right, bottom) in zip(frames, areas):
        frame[top:bottom, left:right] = (200, 30, 30)
    np.save(tmp_path / 'mask.npy', frames)
    return ArrayReader().open(tmp_path / 'mask.npy')


def test_mask(tmp_path):
    """The union of both frames is 40..81 x 30..71, sides 40 as the last index is the end, as in the authors' slices."""
    assert mask_box(mask(tmp_path, (40, 40, 80, 71), (50, 30, 81, 60))) == (40, 30, 80, 70)
    assert mask_box(mask(tmp_path, (40, 30, 61, 71))) == (30, 30, 70, 70)  # narrower: padded to a square
    assert mask_box(mask(tmp_path, (0, 30, 21, 71))) == (0, 30, 40, 70)  # moved into the frame
    assert mask_box(mask(tmp_path, (0, 0, 160, 100))) == (29, 0, 129, 100)  # cut to the frame
    with pytest.raises(CropError, match='the mask is empty'):
        mask_box(mask(tmp_path, (0, 0, 0, 0)))


def test_voxceleb_boxes_get_a_margin_and_become_square():
    # 100 wide and 140 tall: a margin of 14 above and below, and as wide as tall: 168
    in_pixels = box(200, 100, 300, 240, reference=(0, 360))
    assert voxceleb_box(in_pixels, FrameSize(640, 360)) == (166, 86, 334, 254)
    assert voxceleb_box(in_pixels, FrameSize(480, 360)) == (166, 86, 334, 254)  # any shape
    assert voxceleb_box(in_pixels, FrameSize(1280, 720)) == (332, 172, 668, 508)
    # fractions: 160 wide and 120 tall in a frame of 640x480, with margins of 16 left and right 192
    assert voxceleb_box(box(.25, .5, .5, .75, reference=(1, 1)), FrameSize(640, 480)) == (144, 204, 336, 396)
    with pytest.raises(CropError, match='with its margin: left -24') as error:
        voxceleb_box(box(10, 100, 110, 240, reference=(0, 360)), FrameSize(640, 360))
    assert error.value.reason == 'crop outside the frame'
