"""Notice files that end before their header says."""

import io
import struct
from pathlib import Path
from typing import Any

from leokit.video.readers.stream_index import COUNTED_FORMATS

EBML, SEGMENT = b'\x1a\x45\xdf\xa3', b'\x18\x53\x80\x67'  # elements of Matroska and WebM
HEADER_BYTES = 4096
TAIL_BYTES = 1024
GIF_TRAILER = b';'
SYNC_BYTE = b'\x47'  # first byte of a packet of a transport stream; M2TS files have four bytes before it
TRANSPORT_PACKETS = ((188, 0), (192, 4))  # length of a packet, and the place of its sync byte
FLV_TAGS, FLV_TAG_HEADER = (8, 9, 18), 11  # audio, video and script data; bytes before the data of a tag
FLV_SIZE_KEY = b'filesize\0'  # in the metadata, followed by a number


def missing_samples(container: Any, stream: Any) -> int:
    """Number of frames that an mp4 or mov file lists at positions beyond its end; frames hidden by edits aside."""
    if not any(name in COUNTED_FORMATS for name in container.format.name.split(',')):
        return 0
    end = container.size
    return sum(entry.pos + entry.size > end for entry in stream.index_entries)


def broken_end(path: Path, content: bytes | None = None) -> str:
    """What is wrong with the last bytes of a GIF, FLV or MPEG transport stream, which state no size; '' if nothing.

    A transport stream or an FLV file that ends between two of its packets cannot be told from a whole one, unless its
    metadata state its size.
    """
    if content is not None:
        head, tail, size = content[:HEADER_BYTES], content[-TAIL_BYTES:], len(content)
    else:
        size = path.stat().st_size
        with path.open('rb') as file:
            head = file.read(HEADER_BYTES)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read()
    if head[:6] in (b'GIF87a', b'GIF89a'):
        return '' if GIF_TRAILER in tail.rstrip(b'\0')[-1:] else 'the mark of its end is missing'
    if head[:3] == b'FLV':
        return _broken_flv(path, content, head, size)
    for length, sync in TRANSPORT_PACKETS:
        regular = all(head[sync + number * length:][:1] == SYNC_BYTE for number in range(3))
        if regular and size % length:
            return f'its last packet has {size % length} of {length} bytes'
    return ''


def _broken_flv(path: Path, content: bytes | None, head: bytes, size: int) -> str:
    """Each tag of an FLV file is followed by its length, and the metadata may state the size of the file."""
    place = head.find(FLV_SIZE_KEY)
    if place >= 0:
        stated = struct.unpack('>d', head[place + len(FLV_SIZE_KEY):][:8].ljust(8, b'\0'))[0]
        if stated > size:
            return f'{int(stated) - size} bytes that its header states are missing'
    with open(path, 'rb') if content is None else io.BytesIO(content) as file:
        file.seek(max(0, size - 4))
        length = int.from_bytes(file.read(4), 'big')
        start = size - 4 - length
        if length < FLV_TAG_HEADER or start < FLV_TAG_HEADER:
            return 'its last tag is cut off'
        file.seek(start)
        tag = file.read(4)
    sound = tag[0] & 0x1f in FLV_TAGS and int.from_bytes(tag[1:4], 'big') + FLV_TAG_HEADER == length
    return '' if sound else 'its last tag is cut off'


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
