"""Shards: about a thousand video files in one tar file each, with an index for reading any of them at once.

File systems, above all those of a network, are slow with millions of small files. A shard is an ordinary, uncompressed
tar file (``shard-000000.tar``) in the order of WebDataset: for each video, its file (``000000123.mp4``) and its row of
the manifest (``000000123.json``). Next to it, ``shard-000000.index`` has a row of :data:`INDEX_TYPE` for each video:
where its bytes are, its frames, rate and size, and its hash. A video is named ``shard-000000.tar#000000123.mp4``;
whoever opens it reads its bytes at once and decodes them from memory.
"""

import hashlib
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leokit.utils import UserError

MEMBER_MARK = '#'
SHARD_MARK = f'.tar{MEMBER_MARK}'
INDEX_TYPE = np.dtype([
    ('number', '<i8'), ('offset', '<i8'), ('bytes', '<i8'), ('frames', '<i8'), ('fps', '<f8'), ('height', '<i4'),
    ('width', '<i4'), ('sha256', 'S64')])
MAX_CLIP_BYTES = 1 << 28  # a clip is read whole

_LOCK = threading.Lock()  # numpy.load parses headers with ast, which some CPythons cannot in two threads at once


class ShardMember(NamedTuple):
    """A video in a shard."""

    shard: Path
    offset: int
    bytes: int
    frames: int
    fps: float
    height: int
    width: int
    sha256: str

    def read(self) -> bytes:
        """The content of the video file."""
        try:
            with open(self.shard, 'rb', buffering=0) as file:
                file.seek(self.offset)
                content = file.read(self.bytes)
        except OSError as error:
            raise UserError(f'the shard {self.shard} cannot be read ({error.strerror or error}); check the path and '
                            'the disk, or pack it again') from error
        if len(content) != self.bytes:
            raise UserError(f'the shard {self.shard} is truncated: it ends before byte {self.offset + self.bytes}; '
                            'copy or pack it again')
        return content


def is_shard_member(path: str | Path) -> bool:
    """True for the name of a video in a shard, by the name alone."""
    return SHARD_MARK in str(path)


def find_member(path: str | Path) -> ShardMember:
    """Look up ``shard-000000.tar#000000123.mp4`` in the index of its shard.

    Raises:
        UserError: If the index is missing or damaged, or has no such video.
    """
    shard, _, name = str(path).partition(SHARD_MARK)
    shard = Path(f'{shard}.tar')
    digits, _, suffix = name.partition('.')
    table = _table(shard, *_stamp(shard))
    position = int(np.searchsorted(table['number'], int(digits))) if digits.isdecimal() else len(table)
    if position == len(table) or table['number'][position] != int(digits) or not suffix:
        raise UserError(f'{path} does not exist: the shard has {len(table)} videos, and none is named {name!r}; check '
                        'the manifest, or pack the videos again')
    row = table[position]
    return ShardMember(shard, int(row['offset']), int(row['bytes']), int(row['frames']), float(row['fps']),
                       int(row['height']), int(row['width']), row['sha256'].decode())


def video_stamp(path: str | Path) -> tuple[int, int]:
    """Size of a video file, and a number that changes with its content.

    That is the modification time; in a shard, and of the images of a frame folder, a hash.

    Raises:
        OSError: If there is no such file.
    """
    if is_shard_member(path):
        try:
            member = find_member(path)
        except UserError as error:
            raise FileNotFoundError(str(error)) from error
        return member.bytes, int(member.sha256[:15], 16)
    status = Path(path).stat()
    if not Path(path).is_dir():
        return status.st_size, status.st_mtime_ns
    # the time of a folder does not tell of an image that was overwritten in place
    images = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in os.scandir(path))
    return status.st_size, int(hashlib.sha256(repr(images).encode()).hexdigest()[:15], 16)


def video_bytes(path: str | Path) -> int:
    """Size of a video file, also in a shard; 0 for frame folders and arrays in a file."""
    if is_shard_member(path):
        return find_member(path).bytes
    return Path(path).stat().st_size if Path(path).is_file() else 0


def index_file(shard: Path) -> Path:
    """The index of a shard."""
    return shard.with_suffix('.index')


def _stamp(shard: Path) -> tuple[int, int]:
    try:
        status = index_file(shard).stat()
    except OSError as error:
        raise UserError(f'the index {index_file(shard)} of a shard cannot be read ({error.strerror}); copy it along '
                        'with the shards, or pack them again') from error
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4096)
def _table(shard: Path, size: int, modified: int) -> np.ndarray:
    """The index of a shard; ``size`` and ``modified`` are those of the file, so that a changed one is read again."""
    path = index_file(shard)
    try:
        with _LOCK:
            table = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f'the index {path} of a shard is damaged ({error}); pack the shard again') from error
    if table.dtype != INDEX_TYPE or table.ndim != 1 or (np.diff(table['number']) <= 0).any():
        raise UserError(f'{path} is not the index of a shard; pack the shard again')
    return table
