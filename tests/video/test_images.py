import cv2
import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import read_image

GRAY = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOR = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def test_rgb_is_read_as_it_is(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / 'a ü.png')
    image = read_image(tmp_path / 'a ü.png')
    assert image.dtype == np.uint8 and np.array_equal(image, COLOR)
    image[:] = 0  # a writable copy


@pytest.mark.parametrize('suffix', ['png', 'bmp', 'tif', 'webp'])
def test_gray_becomes_three_equal_channels(tmp_path, suffix):
    Image.fromarray(GRAY).save(tmp_path / f'a.{suffix}', **(dict(lossless=True) if suffix == 'webp' else {}))
    assert np.array_equal(read_image(tmp_path / f'a.{suffix}'), np.repeat(GRAY[..., None], 3, -1))


def test_transparency_is_composited_over_white(tmp_path):
    alpha = np.zeros_like(GRAY)
    alpha[8:] = 255
    Image.fromarray(np.dstack([np.full_like(GRAY, 10)] * 3 + [alpha])).save(tmp_path / 'rgba.png')
    Image.fromarray(np.dstack([np.full_like(GRAY, 10), alpha])).save(tmp_path / 'la.png')
    palette = Image.fromarray((alpha > 0).astype(np.uint8)).convert('P')
    palette.putpalette([0, 0, 0, 10, 10, 10])
    palette.save(tmp_path / 'palette.png', transparency=0)
    for name in ('rgba.png', 'la.png', 'palette.png'):
        image = read_image(tmp_path / name)
        assert (image[:8] == 255).all() and (image[8:] == 10).all(), name


def test_sixteen_bits_keep_the_upper_eight(tmp_path):
    deep = (GRAY.astype(np.uint16) << 8) + 77
    cv2.imwrite(str(tmp_path / 'gray.png'), deep)
    cv2.imwrite(str(tmp_path / 'gray.tif'), deep)
    cv2.imwrite(str(tmp_path / 'color.png'), np.dstack([deep] * 3))
    for name in ('gray.png', 'gray.tif', 'color.png'):
        assert np.array_equal(read_image(tmp_path / name), np.repeat(GRAY[..., None], 3, -1)), name


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown rotated by 90 degrees clockwise
    Image.fromarray(COLOR).save(tmp_path / 'a.png', exif=exif)
    assert np.array_equal(read_image(tmp_path / 'a.png'), np.rot90(COLOR, -1))


def test_cmyk_and_animations(tmp_path):
    Image.new('CMYK', (8, 8), (0, 255, 255, 0)).save(tmp_path / 'a.jpg', quality=100)
    assert np.allclose(read_image(tmp_path / 'a.jpg'), (255, 0, 0), atol=3)
    first, second = Image.new('RGB', (8, 8), 'red'), Image.new('RGB', (8, 8), 'blue')
    first.save(tmp_path / 'a.gif', save_all=True, append_images=[second])
    assert np.array_equal(read_image(tmp_path / 'a.gif')[0, 0], (255, 0, 0))


def test_problems_are_named(tmp_path):
    Image.fromarray(GRAY.astype(np.float32)).save(tmp_path / 'float.tif')
    (tmp_path / 'text.png').write_text('not an image')
    (tmp_path / 'empty.png').write_bytes(b'')
    Image.fromarray(COLOR.repeat(20, 0)).save(tmp_path / 'whole.png')
    (tmp_path / 'cut.png').write_bytes((tmp_path / 'whole.png').read_bytes()[:300])
    for name in ('float.tif', 'text.png', 'empty.png', 'cut.png', 'missing.png'):
        with pytest.raises(UserError, match=name):
            read_image(tmp_path / name)
    with pytest.raises(UserError):
        read_image(tmp_path)
