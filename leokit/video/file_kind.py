"""What a file is by its first bytes, whatever its name says."""

from pathlib import Path
from typing import BinaryIO

IMAGE, VIDEO = 'image', 'video'
HEAD_BYTES = 64
UNKNOWN = 'of an unknown kind'
HEIF_BRANDS = (b'heic', b'heix', b'heim', b'heis', b'hevc', b'hevx', b'mif1', b'msf1', b'avif', b'avis')
# the first bytes of a file -> what it is, and what it can be used as
SIGNATURES: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b'\x89PNG\r\n\x1a\n', 'a PNG image', (IMAGE,)),
    (b'\xff\xd8\xff', 'a JPEG image', (IMAGE,)),
    (b'GIF8', 'a GIF', (IMAGE, VIDEO)),
    (b'BM', 'a BMP image', (IMAGE,)),
    (b'II*\0', 'a TIFF image', (IMAGE,)),
    (b'MM\0*', 'a TIFF image', (IMAGE,)),
    (b'\x1aE\xdf\xa3', 'a Matroska or WebM video', (VIDEO,)),
    (b'%PDF', 'a PDF document', ()),
    (b'PK\x03\x04', 'a zip archive or an office document', ()),
    (b'\x7fELF', 'a program', ()),
    (b'MZ', 'a program', ()),
    (b'ID3', 'a sound file', ()),
    (b'OggS', 'an Ogg file', ()),
    (b'fLaC', 'a sound file', ()),
)


def is_heif(head: bytes) -> bool:
    """Whether a file is a HEIF or AVIF image by its first bytes, 12 at least."""
    return head[4:8] == b'ftyp' and head[8:12] in HEIF_BRANDS


def identify(head: bytes) -> tuple[str, tuple[str, ...]]:
    """What a file is by its first bytes, in words, and whether it can be used as an image or a video."""
    if is_heif(head):
        return 'a HEIF or AVIF image', (IMAGE,)
    if head[4:8] == b'ftyp':
        return ('a sound file', ()) if head[8:11] == b'M4A' else ('an mp4 or mov video', (VIDEO,))
    if head[:4] == b'RIFF':
        return {b'WEBP': ('a WebP image', (IMAGE,)), b'AVI ': ('an AVI video', (VIDEO,)),
                b'WAVE': ('a sound file', ())}.get(head[8:12], ('a RIFF file', ()))
    for signature, words, uses in SIGNATURES:
        if head.startswith(signature):
            return words, uses
    text = head.strip(b'\0')
    if text and all(byte >= 32 or byte in b'\t\r\n\f' for byte in text):
        return 'text', ()
    return UNKNOWN, ()


def content_note(file: str | Path | BinaryIO, wanted: str) -> str:
    """``", its content is text"`` for an error about a file that cannot be read.

    Args:
        file (str | Path | BinaryIO): The file.
        wanted (str): ``IMAGE`` or ``VIDEO``; for a file of this kind, and one of an unknown kind, the note is empty.
    """
    try:
        if isinstance(file, (str, Path)):
            with Path(file).open('rb') as opened:
                head = opened.read(HEAD_BYTES)
        else:
            file.seek(0)
            head = file.read(HEAD_BYTES)
    except (OSError, ValueError):
        return ''
    words, uses = identify(head)
    return '' if words == UNKNOWN or wanted in uses else f', its content is {words}'
