"""Size of the pixel data of a PNG image.

Decoders take a PNG whose compressed data end early, without damage, for complete and leave the remaining rows black.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator

SIGNATURE = b'\x89PNG\r\n\x1a\n'
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color type
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
MAX_STEP = 1 << 20  # bytes decompressed at a time


def lacks_rows(file: Path | BinaryIO) -> bool:
    """True if the pixel data of a PNG file are shorter than its width and height say (PNG specification, section 7).

    Args:
        file (Path | BinaryIO): A file, or an open one, which is read from its start.
    """
    if isinstance(file, Path):
        with file.open('rb') as content:
            return lacks_rows(content)
    file.seek(0)
    if file.read(len(SIGNATURE)) != SIGNATURE:
        return False
    inflate, found, needed = zlib.decompressobj(), 0, 0
    for kind, data in _chunks(file):
        if kind == b'IHDR':
            needed = _data_size(*struct.unpack('>IIBBxxB', data))
        elif kind == b'IDAT':
            while data and found < needed:
                found += len(inflate.decompress(data, MAX_STEP))
                data = inflate.unconsumed_tail
    found += len(inflate.flush()) if found < needed else 0
    return found < needed


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack('>I4s', head)
        if kind in (b'IHDR', b'IDAT'):
            yield kind, file.read(length)
        else:
            file.seek(length, io.SEEK_CUR)
        file.seek(4, io.SEEK_CUR)  # the checksum


def _data_size(width: int, height: int, depth: int, color_type: int, interlace: int) -> int:
    """Bytes of the filtered rows: one for the filter, then the pixels."""
    passes = ADAM7 if interlace else ((0, 0, 1, 1),)
    sizes = ((-(-(width - x) // step_x), -(-(height - y) // step_y)) for x, y, step_x, step_y in passes)
    return sum(rows * (1 + (columns * CHANNELS[color_type] * depth + 7) // 8)
               for columns, rows in sizes if columns > 0 and rows > 0)
