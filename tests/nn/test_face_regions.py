"""Maps, masks and crops of regions, against arithmetic on boxes and pixels."""

import math

import numpy as np
import pytest
import torch

from leokit.nn.face_regions import (
    FACE_PARTS, FACE_REGIONS, boxes_to_maps, check_parts, move_regions, region_crops, region_masks, region_rows)

NAN = float('nan')


def maps_of(*boxes):
    return boxes_to_maps(torch.tensor(boxes))[None]


def test_parts_are_rows():
    assert FACE_REGIONS == ('mouth', 'right_eye', 'left_eye', 'face') and list(FACE_PARTS) == ['mouth', 'eyes', 'face']
    assert [region_rows(part) for part in FACE_PARTS] == [[0], [1, 2], [3]]
    with pytest.raises(ValueError, match="'nose'; the parts are mouth, eyes, face"):
        region_rows('nose')
    check_parts(('eyes', 'mouth'), 'parts')
    for wrong in ((), ('mouth', 'nose')):
        with pytest.raises(ValueError, match='parts must name parts of a face'):
            check_parts(wrong, 'parts')


def test_a_map_takes_the_corners_of_the_square_to_those_of_the_box():
    left, top, right, bottom = box = (0.2, 0.1, 0.5, 0.9)
    matrix = boxes_to_maps(torch.tensor(box)).double()
    assert matrix.shape == (2, 3)
    for u, x in ((-1, left), (1, right)):
        for v, y in ((-1, top), (1, bottom)):
            corner = matrix @ torch.tensor([u, v, 1.0], dtype=torch.float64)
            assert corner.tolist() == pytest.approx([2 * x - 1, 2 * y - 1])


def test_the_map_of_a_box_that_was_not_found_is_nan():
    maps = boxes_to_maps(torch.tensor([[0.1, 0.2, 0.3, NAN], [0.1, 0.2, 0.3, 0.4]]))
    assert maps[0].isnan().all() and maps[1].isfinite().all()


def test_a_mask_has_the_pixels_whose_centers_are_in_the_box():
    height, width = 6, 10
    boxes = [(0.1, 0.2, 0.6, 0.5), (0.0, 0.0, 1.0, 1.0), (0.31, 0.0, 0.34, 1.0), (-0.5, 0.6, 0.3, 1.7)]
    masks = region_masks(maps_of(*boxes), height, width)
    assert masks.dtype == torch.bool and masks.shape == (1, 4, height, width)
    for mask, (left, top, right, bottom) in zip(masks[0], boxes):
        expected = [[left <= (x + 0.5) / width <= right and top <= (y + 0.5) / height <= bottom
                     for x in range(width)] for y in range(height)]
        assert mask.tolist() == expected
    assert masks[0, 2].sum() == 0  # between the centers 0.25 and 0.35
    assert region_masks(maps_of((0.25, 0.0, 0.75, 1.0)), 2, 2).all()  # centers on the edge


def test_a_region_that_was_not_found_has_no_pixels():
    masks = region_masks(maps_of((NAN,) * 4, (0.1, 0.1, 0.9, 0.9), (0.2, 0.2, 0.2, 0.8), (2.0, 2.0, 3.0, 3.0)), 8, 8)
    assert masks.sum((2, 3)).tolist() == [[0, 36, 0, 0]]


def test_the_mask_of_a_turned_box_by_brute_force():
    """A box turned by 30 degrees about the image center: a pixel is in it if the pixel turned back is in the box."""
    angle, size = math.radians(30), 40
    back = torch.tensor([[[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0]]])
    moved = move_regions(maps_of((0.5, 0.3, 0.8, 0.4)), back)
    mask, = region_masks(moved, size, size)[0]
    for y in range(size):
        for x in range(size):
            u, v = (x + 0.5) / size * 2 - 1, (y + 0.5) / size * 2 - 1
            turned = (math.cos(angle) * u - math.sin(angle) * v, math.sin(angle) * u + math.cos(angle) * v)
            assert bool(mask[y, x]) == (0.0 <= turned[0] <= 0.6 and -0.4 <= turned[1] <= -0.2)
    assert 35 < mask.sum() < 60  # 12 x 4 pixels


def test_moved_regions_are_where_the_input_positions_were():
    """For any affine map: the input position of a moved corner is the corner."""
    generator = torch.Generator().manual_seed(0)
    transform = torch.rand(3, 2, 3, generator=generator, dtype=torch.float64) * 2 - 1
    maps = torch.rand(3, 4, 2, 3, generator=generator, dtype=torch.float64)
    moved = move_regions(maps, transform)
    assert moved.shape == maps.shape
    corner = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    for pair in range(3):
        for region in range(4):
            output = moved[pair, region] @ corner
            back = transform[pair, :, :2] @ output + transform[pair, :, 2]
            torch.testing.assert_close(back, maps[pair, region] @ corner)


def test_a_crop_of_the_size_of_a_square_region_is_the_pixels():
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    maps = torch.cat([maps_of((0.25, 0.5, 0.5, 0.75), (0.5, 0.0, 1.0, 0.5)),
                      maps_of((0.0, 0.0, 0.25, 0.25), (0.25, 0.25, 0.75, 0.75))])
    crops = region_crops(images, maps[:, :1], 4)
    assert crops.shape == (2, 3, 4, 4) and crops.dtype == torch.float32
    torch.testing.assert_close(crops[0], images[0, :, 8:12, 4:8])
    torch.testing.assert_close(crops[1], images[1, :, 0:4, 0:4])
    crops = region_crops(images, maps, 8)  # rows of one image follow each other
    torch.testing.assert_close(crops[1], images[0, :, 0:8, 8:16])
    torch.testing.assert_close(crops[3], images[1, :, 4:12, 4:12])


def test_the_shorter_side_is_extended():
    ramp = torch.arange(16.0).expand(1, 3, 16, 16)
    flat, tall = (0.25, 0.4375, 0.75, 0.5625), (0.4375, 0.25, 0.5625, 0.75)
    for image in (ramp, ramp.transpose(2, 3)):
        crops = region_crops(image, maps_of(flat, tall), 8)
        for crop in crops:
            torch.testing.assert_close(crop, image[0, :, 4:12, 4:12])


def test_pixels_beyond_the_image_are_those_of_its_border():
    image = torch.arange(8.0).expand(1, 1, 8, 8)
    crop, = region_crops(image, maps_of((-0.25, 0.25, 0.25, 0.75)), 4)
    np.testing.assert_allclose(crop[0, 0], [0, 0, 0, 1])


def test_crops_of_regions_that_were_not_found_are_black_and_have_no_gradient():
    images = torch.rand(1, 3, 8, 8, requires_grad=True)
    maps = maps_of((NAN,) * 4, (0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.5))
    maps[0, 2, 0, 2] = NAN
    crops = region_crops(images, maps, 4)
    assert (crops[0] == 0).all() and (crops[2] == 0).all() and crops[1].min() > 0
    crops.sum().backward()
    expected = torch.zeros(8, 8)
    expected[:4, :4] = 1
    torch.testing.assert_close(images.grad[0], expected.expand(3, 8, 8))


def test_half_precision_images_and_maps():
    images, maps = torch.rand(2, 3, 8, 8), maps_of((0.0, 0.0, 0.5, 0.5)).repeat(2, 1, 1, 1)
    crops = region_crops(images.bfloat16(), maps, 4)
    torch.testing.assert_close(crops, images.bfloat16().float()[..., :4, :4])
    assert region_masks(maps.bfloat16(), 8, 8).sum() == 32
