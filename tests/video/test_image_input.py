"""Images of any kind become the same tensor."""

import numpy as np
import pytest
import torch
from PIL import Image

from leokit.utils import UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import read_images


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def expected(pixels):
    return from_uint8(torch.from_numpy(pixels.transpose(2, 0, 1).copy()))[None]


def test_every_kind_gives_the_same_image(pixels, expected, tmp_path):
    path = tmp_path / 'portrait.png'
    Image.fromarray(pixels).save(path)
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
    kinds = [str(path), path, Image.fromarray(pixels), pixels, tensor, from_uint8(tensor)]
    for kind in kinds:
        assert torch.equal(read_images(kind, 32), expected), type(kind)
    assert torch.equal(read_images(kinds, 32), expected.expand(len(kinds), -1, -1, -1))
    assert torch.equal(read_images(from_uint8(tensor)[None].repeat(3, 1, 1, 1), 32), expected.expand(3, -1, -1, -1))


def test_gray_transparent_and_16_bit(pixels):
    gray = pixels[..., 0]
    as_rgb = from_uint8(torch.from_numpy(gray))[None, None].expand(1, 3, -1, -1)
    deep = gray.astype(np.uint16) * 257
    for kind in (gray, gray[..., None], Image.fromarray(gray), deep, deep[..., None]):
        assert torch.equal(read_images(kind, 32), as_rgb)
    assert torch.equal(read_images(np.repeat(deep[..., None], 3, -1), 32), as_rgb)
    clear = np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=-1)
    assert torch.equal(read_images(clear, 32), torch.ones(1, 3, 32, 32))  # composited over white


def test_center_is_cropped_and_resized():
    wide = np.zeros((64, 100, 3), np.uint8)
    wide[:, 18:82] = 200
    assert torch.equal(to_uint8(read_images(wide, 32)), torch.full((1, 3, 32, 32), 200, dtype=torch.uint8))
    tensor = from_uint8(torch.from_numpy(wide.transpose(2, 0, 1).copy()))
    assert torch.equal(read_images(tensor, 32), read_images(wide, 32))


@pytest.mark.parametrize('image, message', [
    ('nowhere.png', 'does not exist'),
    ([], 'pass at least one'),
    (np.zeros((4, 4, 2), np.uint8), r'shape \(4, 4, 2\)'),
    (np.zeros((4, 4, 3)), 'float64'),
    (torch.full((3, 32, 32), 255.0), r'\[-1, 1\]'),
    (torch.full((3, 32, 32), torch.nan), r'\[-1, 1\]'),
    (torch.zeros(32, 32), 'three channels first'),
    (torch.zeros(3, 8, 8, dtype=torch.int64), 'int64'),
    (object(), 'pass a path'),
])
def test_bad_images_are_one_sentence(image, message):
    with pytest.raises(UserError, match=message):
        read_images(image if isinstance(image, list) else [image], 32)


def test_a_file_that_is_not_an_image(tmp_path):
    path = tmp_path / 'notes.png'
    path.write_text('not an image')
    with pytest.raises(UserError, match='notes.png'):
        read_images(path, 32)
