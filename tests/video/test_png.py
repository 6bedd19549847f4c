"""PNG images whose pixel data end early; the files are written here, byte by byte."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import read_image
from leokit.video.png import lacks_rows


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width, height, pixel_data, *, depth=8, color_type=2, interlace=0, pieces=1):
    compressed = zlib.compress(pixel_data)
    step = -(-len(compressed) // pieces)
    parts = [chunk(b'IDAT', compressed[start:start + step]) for start in range(0, len(compressed), step)]
    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, color_type, 0, 0, interlace))
    return b'\x89PNG\r\n\x1a\n' + head + chunk(b'tEXt', b'a\0b') + b''.join(parts) + chunk(b'IEND', b'')


@pytest.mark.parametrize('width, height, options, size', [
    (5, 4, {}, 4 * (1 + 15)), (5, 4, dict(pieces=3), 4 * 16),
    (5, 4, dict(color_type=6, depth=16), 4 * (1 + 5 * 8)), (5, 4, dict(color_type=4), 4 * 11),
    (9, 2, dict(color_type=0, depth=1), 2 * (1 + 2)), (9, 2, dict(color_type=0, depth=4), 2 * (1 + 5)),
    # Adam7 of 8x8: passes of 1x1, 1x1, 2x1, 2x2, 4x2, 4x4 and 8x4 pixels
    (8, 8, dict(interlace=1, color_type=0), 2 + 2 + 3 + 6 + 10 + 20 + 36),
    (1, 1, dict(interlace=1, color_type=0), 2)])
def test_rows_are_counted(width, height, options, size):
    assert not lacks_rows(io.BytesIO(png(width, height, bytes(size), **options)))
    assert not lacks_rows(io.BytesIO(png(width, height, bytes(size + 7), **options)))
    assert lacks_rows(io.BytesIO(png(width, height, bytes(size - 1), **options)))


def test_an_image_of_too_few_rows_is_refused(tmp_path):
    row = b'\0' + bytes(range(1, 13))
    path = tmp_path / 'short.png'
    path.write_bytes(png(4, 4, row * 3))
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(UserError, match='has fewer rows than its header says; save it again'):
            read_image(source)
    path.write_bytes(png(4, 4, row * 4))
    assert np.array_equal(read_image(path)[3].ravel(), np.arange(1, 13))
    path.write_bytes(png(8, 8, b'\0\xc8\0\xc8\0\xc8\xc8', color_type=0, interlace=1))
    with pytest.raises(UserError, match='fewer rows'):
        read_image(path)


def test_a_black_image_is_complete(tmp_path):
    Image.new('RGB', (300, 200)).save(tmp_path / 'black.png')
    assert not read_image(tmp_path / 'black.png').any()
    Image.new('L', (3, 2)).save(tmp_path / 'image.bmp')
    assert not lacks_rows(tmp_path / 'image.bmp')
