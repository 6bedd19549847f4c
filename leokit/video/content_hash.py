"""Hashes of the contents of videos, which do not change when a file is copied or renamed."""

import hashlib
from pathlib import Path
from typing import Iterable

import numpy as np

from leokit.utils.hashing import file_sha256
from leokit.video.readers import frame_files
from leokit.video.readers.array_reader import open_array, split_item
from leokit.video.shards import find_member, is_shard_member
from leokit.video.video_entry import VideoEntry


def content_hash(path: str | Path, *, trust_index: bool = True) -> str:
    """SHA-256 of a video, 64 hexadecimal digits: of the file, or of the names and contents of a folder's images.

    Args:
        path (str | Path): A file, a frame folder, a video in an array file, or one in a shard.
        trust_index (bool): Take the hash of a video in a shard from the shard's index; False reads the bytes.
    """
    if is_shard_member(path):
        member = find_member(path)
        return member.sha256 if trust_index else hashlib.sha256(member.read()).hexdigest()
    file, item = split_item(path)
    if item is not None:
        return hashlib.sha256(np.ascontiguousarray(open_array(file)[item])).hexdigest()
    if not file.is_dir():
        return file_sha256(file)
    lines = ''.join(f'{name}\t{file_sha256(file / name)}\n' for name in frame_files(file))
    return hashlib.sha256(lines.encode()).hexdigest()


def listing_hash(videos: Iterable[VideoEntry]) -> str:
    """SHA-256 over names, identities, splits and, where the manifest states them, hashes of contents; no file is read.

    Neither the order of the videos nor where they are counts.
    """
    lines = sorted('\t'.join([video.name, video.identity, video.split or '', video.sha256 or '']) for video in videos)
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()
