import io
import struct
import sys

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


def test_another_background(tmp_path):
    Image.fromarray(np.full((8, 8, 4), (10, 20, 30, 51), np.uint8)).save(tmp_path / 'a.png')
    # alpha 51 is a fifth: 0.2 * (10, 20, 30) + 0.8 * (0, 255, 100)
    assert np.abs(read_image(tmp_path / 'a.png', background=(0, 255, 100)) - np.array((2., 208., 86.))).max() <= 1


@pytest.mark.parametrize('name', ['a.heic', 'a.avif'])
def test_phone_formats(tmp_path, name):
    pillow_heif = pytest.importorskip('pillow_heif')
    upright = np.zeros((64, 48, 3), np.uint8)
    upright[:32, :24], upright[:32, 24:], upright[32:, :24] = (200, 40, 30), (30, 180, 60), (40, 50, 210)
    turned = np.ascontiguousarray(np.rot90(upright))  # shown turned by 90 degrees clockwise it is upright again
    exif = Image.Exif()
    exif[0x0112] = 6
    if name == 'a.heic':
        pillow_heif.from_pillow(Image.fromarray(turned)).save(tmp_path / name, quality=95, exif=exif.tobytes())
    else:
        Image.fromarray(turned).save(tmp_path / name, quality=95, exif=exif)
    read = read_image(tmp_path / name)
    assert read.shape == upright.shape
    assert np.abs(read[4:28, 4:20].astype(int) - upright[4:28, 4:20]).max() < 12
    assert np.abs(read[36:60, 4:20].astype(int) - upright[36:60, 4:20]).max() < 12
    assert np.array_equal(read_image((tmp_path / name).read_bytes()), read)


def test_heic_without_its_package(tmp_path, monkeypatch):
    # a HEIC file begins with the length of its first box, 'ftyp' and a brand
    (tmp_path / 'a.jpg').write_bytes(struct.pack('>I', 24) + b'ftypmif2' + bytes(12))
    with pytest.raises(UserError, match='a.jpg is not a readable image'):
        read_image(tmp_path / 'a.jpg')
    monkeypatch.setitem(sys.modules, 'pillow_heif', None)
    (tmp_path / 'a.jpg').write_bytes(struct.pack('>I', 24) + b'ftypheic' + bytes(12))
    with pytest.raises(UserError, match='a.jpg is a HEIC .* pip install "leokit.heif."'):
        read_image(tmp_path / 'a.jpg')


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


@pytest.mark.parametrize('compression', [None, 'tiff_lzw', 'jpeg'])
def test_tiff_of_ycbcr(tmp_path, compression):
    colors = np.array([(230, 190, 160), (200, 60, 40), (40, 180, 70), (50, 70, 210)], np.uint8)
    expected = colors.repeat(16, 0)[None].repeat(16, 0)
    path = tmp_path / 'a.tif'
    Image.fromarray(expected).convert('YCbCr').save(
        path, compression=compression, **dict(quality=100) if compression == 'jpeg' else {})
    for found in (read_image(path), read_image(path.read_bytes())):
        assert np.abs(found.astype(int) - expected).max() <= 2  # 8 bits of YCbCr


def test_subsampled_tiff_of_ycbcr(tmp_path):
    """2x2 pixels share Cb and Cr, as the specification of TIFF 6.0 (section 21) stores them without compression."""
    tags = [(256, 3, 1, 4), (257, 3, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 6), (273, 4, 1, 150),
            (277, 3, 1, 3), (278, 3, 1, 2), (279, 4, 1, 12), (530, 3, 2, 2 | 2 << 16)]
    blocks = bytes((76, 76, 76, 76, 85, 255, 29, 29, 29, 29, 255, 107))  # red and blue in BT.601 of full range
    entries = b''.join(struct.pack('<HHII', *tag) for tag in tags)
    head = b'II*\0' + struct.pack('<IH', 8, len(tags)) + entries + bytes(4)
    (tmp_path / 'a.tif').write_bytes(head.ljust(150, b'\0') + blocks)
    expected = np.array([(255, 0, 0)] * 2 + [(0, 0, 255)] * 2)
    assert np.abs(read_image(tmp_path / 'a.tif').astype(int) - expected).max() <= 2


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


# Primaries of Display P3 and of sRGB relative to D50, as columns of XYZ.
P3 = np.array([(.51512, .24120, -.00105), (.29198, .69225, .04189), (.15710, .06657, .78407)]).T
SRGB = np.array([(.43607, .22249, .01392), (.38515, .71687, .09708), (.14307, .06061, .71410)]).T
PATCHES = np.array([(214, 190, 160), (190, 60, 50), (80, 180, 90), (60, 70, 200), (128, 128, 128)], np.uint8)


def profile(primaries, gamma):
    """A matrix profile of ICC version 2, by the specification."""
    def xyz(values):
        return struct.pack('>4s4x3i', b'XYZ ', *(round(value * 65536) for value in values))
    curve = struct.pack('>4s4xIH', b'curv', 1, round(gamma * 256))
    tags = {b'desc': struct.pack('>4s4xI', b'desc', 5) + b'test\0' + bytes(78), b'cprt': struct.pack('>4s4x', b'text'),
            b'wtpt': xyz((.9642, 1, .8249))}
    tags |= {name: xyz(column) for name, column in zip((b'rXYZ', b'gXYZ', b'bXYZ'), primaries.T)}
    tags |= dict.fromkeys((b'rTRC', b'gTRC', b'bTRC'), curve)
    table = body = b''
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += struct.pack('>4sII', name, 132 + 12 * len(tags) + len(body), len(content))
        body += content
    head = struct.pack('>I4xI4s4s4s12x4s28x3i', 132 + len(table) + len(body), 0x02100000, b'mntr', b'RGB ', b'XYZ ',
                       b'acsp', *(round(value * 65536) for value in (.9642, 1, .8249)))
    return head.ljust(128, b'\0') + struct.pack('>I', len(tags)) + table + body


def to_srgb_by_hand(values, primaries, gamma):
    linear = np.linalg.inv(SRGB) @ primaries @ ((values / 255.0) ** gamma).T
    linear = linear.clip(0, 1).T
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize('name, options', [('a.png', {}), ('a.webp', dict(lossless=True)),
                                           ('a.jpg', dict(quality=100, subsampling=0))])
@pytest.mark.parametrize('primaries, gamma', [(P3, 2.2), (SRGB, 1.8)], ids=['P3', 'gamma 1.8'])
def test_color_profiles_are_converted_to_srgb(tmp_path, name, options, primaries, gamma):
    image = Image.fromarray(PATCHES.repeat(16, 0)[None].repeat(16, 0))
    image.save(tmp_path / name, icc_profile=profile(primaries, gamma), **options)
    shown = read_image(tmp_path / name)[8, 8::16].astype(float)
    right = to_srgb_by_hand(PATCHES, primaries, gamma)
    assert np.abs(right - PATCHES).max() > 8  # the profile matters
    np.testing.assert_allclose(shown, right, atol=3 if name == 'a.jpg' else 1.5)


def test_color_profile_and_transparency(tmp_path):
    pixels = np.dstack([PATCHES[None].repeat(2, 0), np.full((2, 5), 255, np.uint8)])
    pixels[1, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / 'a.png', icc_profile=profile(P3, 2.2))
    shown = read_image(tmp_path / 'a.png')
    np.testing.assert_allclose(shown[0], to_srgb_by_hand(PATCHES, P3, 2.2), atol=1.5)
    assert (shown[1] == 255).all()


def test_a_broken_color_profile_is_named(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr('leokit.video.images.print_log', lambda message, **_: messages.append(message))
    Image.fromarray(COLOR).save(tmp_path / 'a.png', icc_profile=b'no profile')
    assert np.array_equal(read_image(tmp_path / 'a.png'), COLOR)
    assert len(messages) == 1 and 'a.png' in messages[0]


def test_bytes_and_file_objects(tmp_path):
    Image.fromarray(COLOR).save(tmp_path / 'a.png')
    content = (tmp_path / 'a.png').read_bytes()
    for source in (content, io.BytesIO(content), bytearray(content)):
        assert np.array_equal(read_image(source), COLOR)
    with (tmp_path / 'a.png').open('rb') as file:
        assert np.array_equal(read_image(file), COLOR)
    with pytest.raises(UserError, match='not a readable image'):
        read_image(b'text')
    with pytest.raises(UserError, match='is an address'):
        read_image('https://example.org/a.png')
