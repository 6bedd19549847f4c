import math

import cv2
import numpy as np
import pytest

from leokit.croppers import CropRegion, Paster, crop_region
from leokit.utils import UserError


def waves(height=160, width=200):
    """A smooth uint8 image, so that interpolation is nearly exact, and the function it shows."""
    def at(x, y):
        return np.stack([128 + 100 * np.sin(x / 17), 128 + 100 * np.cos(y / 13), 128 + 60 * np.sin((x + y) / 23)], -1)
    y, x = np.mgrid[:height, :width]
    return np.rint(at(x, y)).astype(np.uint8), at


def test_whole_pixels_are_copied():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert np.array_equal(crop_region(image, CropRegion(30.2, 25.1, 20, 10)), image[20:30, 20:40])
    padded = crop_region(image, CropRegion(5, 5, 20, 20))
    assert np.array_equal(padded[5:, 5:], image[:15, :15])
    assert (padded[:5, 5:] == image[0, :15]).all() and (padded[5:, :5] == image[:15, :1]).all()
    with pytest.raises(UserError, match='has no pixel of the frame'):
        crop_region(image, CropRegion(-50, 5, 20, 20))
    with pytest.raises(UserError, match='has no pixel of the frame'):
        crop_region(image, CropRegion(-500, 5, 20, 20, 0.3))


@pytest.mark.parametrize('region', [CropRegion(100.3, 80.6, 60, 60, 0.5), CropRegion(90, 70, 80, 50, -2.0),
                                    CropRegion(100.25, 80.75, 61, 61)])
def test_turned_regions_are_sampled(region):
    image, at = waves()
    size = 64
    found = crop_region(image, region, size, exact=True).astype(float)
    row, column = np.mgrid[:size, :size]
    across = ((column + 0.5) / size - 0.5) * region.width
    down = ((row + 0.5) / size - 0.5) * region.height
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    expected = at(region.x + cos * across - sin * down - 0.5, region.y + sin * across + cos * down - 0.5)
    assert np.abs(found - expected)[2:-2, 2:-2].max() < 3


@pytest.mark.parametrize('region', [CropRegion(100, 80, 64, 64), CropRegion(90, 70, 80, 50), CropRegion(20, 30, 80, 80),
                                    CropRegion(100.3, 80.6, 60, 60, 0.5), CropRegion(190, 150, 70, 70, 0.2)])
@pytest.mark.parametrize('size', [32, 64, 128])
def test_what_was_cropped_fits_where_it_was(region, size):
    image, _ = waves()
    region = region.rounded()
    crop = crop_region(image, region, size)
    pasted = Paster(region, image.shape[:2], size).paste(image, crop)
    assert np.abs(pasted.astype(int) - image).max() <= (14 if size == 32 else 6)
    assert np.abs(pasted.astype(int) - image).mean() < 1


def test_the_weight_of_the_pasted_image():
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    pasted = Paster(CropRegion(60, 50, 40, 40), (100, 120), 40, feather=0.25).paste(frame, white)[..., 0]
    assert not frame.any()
    assert (pasted[40:60, 50:70] == 255).all()  # beyond a quarter of the side from every edge
    assert not pasted[:30].any() and not pasted[70:].any() and not pasted[:, :40].any() and not pasted[:, 80:].any()
    # half a pixel, 5.5 pixels from the left edge, of 10: smoothstep
    for column, part in ((40, 0.05), (45, 0.55), (49, 0.95)):
        assert pasted[50, column] == pytest.approx(255 * part ** 2 * (3 - 2 * part), abs=1)
    assert np.array_equal(pasted, pasted[::-1]) and np.array_equal(pasted, pasted[:, ::-1])


@pytest.mark.parametrize('region', [CropRegion(60, 50, 70, 56), CropRegion(10, 50, 70, 70), CropRegion(60, 50, 20, 90),
                                    CropRegion(60.25, 50, 70, 56), CropRegion(60, 50, 40, 40, 0.3)])
@pytest.mark.parametrize('size', [32, 128])
def test_the_pasted_image_is_interpolated_and_blended(region, size):
    """Against a sampling of the image at every pixel of the frame, with cubic interpolation, in floating point."""
    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (100, 120, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(random.integers(0, 256, (size, size, 3), dtype=np.uint8), (0, 0), size / 20)
    shrunk = tuple(round(min(side, size)) for side in (region.width, region.height))
    source = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA).astype(np.float32)
    x, y = np.meshgrid(np.arange(120) + 0.5 - region.x, np.arange(100) + 0.5 - region.y)
    cos, sin = math.cos(region.angle), math.sin(region.angle)
    across, down = (cos * x + sin * y) / region.width, (cos * y - sin * x) / region.height
    sampled = cv2.remap(source, ((across + 0.5) * shrunk[0] - 0.5).astype(np.float32),
                        ((down + 0.5) * shrunk[1] - 0.5).astype(np.float32), cv2.INTER_CUBIC,
                        borderMode=cv2.BORDER_REPLICATE)
    inside = np.minimum(0.5 - abs(across), 0.5 - abs(down)) > 0.1  # beyond the soft edge
    pasted = Paster(region, (100, 120), size).paste(frame, image)
    assert inside.sum() > 500 and np.abs(pasted[inside] - np.clip(sampled[inside], 0, 255)).max() < 3
    outside = np.maximum(abs(across), abs(down)) > 0.51
    assert np.array_equal(pasted[outside], frame[outside])


def test_no_soft_edge_at_the_border_of_the_frame():
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    pasted = Paster(CropRegion(15, 80, 40, 40), (100, 120), 40, feather=0.25).paste(frame, white)[..., 0]
    assert (pasted[75:, :20] == 255).all()  # left and below it ends with the frame
    assert pasted[60, 10] < 10 and pasted[90, 34] < 10
    hard = Paster(CropRegion(60, 50, 40, 40), (100, 120), 40, feather=0).paste(frame, white)[..., 0]
    assert (hard[30:70, 40:80] == 255).all() and hard.sum() == 255 * 40 * 40


def test_a_region_outside_changes_nothing():
    frame, white = np.zeros((100, 120, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    assert not Paster(CropRegion(-60, 50, 40, 40), (100, 120), 40).paste(frame, white).any()
    with pytest.raises(ValueError, match='feather must be from 0 to 0.5'):
        Paster(CropRegion(60, 50, 40, 40), (100, 120), 40, feather=1)
