"""Notice files that end before their header says."""

import struct
from pathlib import Path
from typing import Any

from leokit.video.readers.stream_index import COUNTED_FORMATS

EBML, SEGMENT = b'\x1a\x45\xdf\xa3', b'\x18\x53\x80\x67'  # elements of Matroska and WebM
HEADER_BYTES = 4096


def missing_samples(container: Any, stream: Any) -> int:
    """Number of frames that an mp4 or mov file lists at positions beyond its end; frames hidden by edits aside."""
    if not any(name in COUNTED_FORMATS for name in container.format.name.split(',')):
        return 0
    end = container.size
    return sum(entry.pos + entry.size > end for entry in stream.index_entries)


def missing_bytes(path: Path, content: bytes | None = None) -> int:
    """Number of bytes that the header of a Matroska, WebM or AVI file states and the file lacks; 0 if unknown."""
    if content is not None:
        head, size = content[:HEADER_BYTES], len(content)
    else:
        with path.open('rb') as file:
            head = file.read(HEADER_BYTES)
        size = path.stat().st_size
    if head[:4] == b'RIFF' and head[8:11] == b'AVI':
        stated = 8 + struct.unpack('<I', head[4:8])[0]
    elif head[:4] == EBML and SEGMENT in head:
        start = head.index(SEGMENT) + 4
        length = 9 - head[start].bit_length() if start < len(head) and head[start] else 0
        value = int.from_bytes(head[start:start + length], 'big') & ((1 << 7 * length) - 1)
        if not length or value == (1 << 7 * length) - 1:  # a recorder that did not know the size
            return 0
        stated = start + length + value
    else:
        return 0
    return max(0, stated - size)
