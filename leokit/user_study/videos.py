"""Finding the videos of a study, and re-encoding them so that the file itself gives nothing away.

Every video of a page is decoded and encoded again with one setting: H.264 (High, yuv420p, BT.709), no sound, no
metadata, the same encoder for all methods. A method is then not betrayed by its container, codec, encoder tag,
title or file size, and every current browser can play it.
"""

import hashlib
import io
from fractions import Fraction
from pathlib import Path
from typing import Iterable, NamedTuple

import av
import numpy as np

from leokit.utils import UserError
from leokit.video.h264 import H264Stream
from leokit.video.readers import AutoReader, VideoHandle
from leokit.video.video_list import find_videos

DEFAULT_CRF = 14  # x264's constant rate factor; below 18 is usually taken to be visually lossless
MAX_DENOMINATOR = 1001  # of a frame rate: 30000/1001 and its like are the odd ones in use
CHUNK = 16  # frames that are decoded at a time
MAX_SIDE = 16384  # the largest side that H.264 decoders know


class EncodedClip(NamedTuple):
    """One encoded video.

    Attributes:
        data (bytes): An MP4 file.
        frames (int): Number of frames.
        fps (float): Frames per second.
        size (tuple): Width and height in pixels.
        digest (str): SHA-256 of the frames that went in. It stands for the video where ``data`` cannot: x264 reads
            memory that it has not initialized and may give other bytes for the same frames.
    """

    data: bytes
    frames: int
    fps: float
    size: tuple[int, int]
    digest: str


def videos_by_name(folder: str | Path) -> dict[str, Path]:
    """List the videos below a folder by the name that matches them with other folders: their path without suffix."""
    if not Path(folder).is_dir():
        raise UserError(f'the folder {folder} does not exist; pass --folder NAME=DIR with a folder of videos')
    return {entry.name: entry.path for entry in find_videos(folder, manifest=None)}


def open_moving_video(path: str | Path) -> VideoHandle:
    """Open a video that has something to compare.

    Args:
        path (str | Path): One of :func:`videos_by_name`.

    Returns:
        VideoHandle: The open video; use it as a context manager.

    Raises:
        UserError: If it cannot be read or has one frame only.
    """
    video = AutoReader().open(path)
    if len(video) < 2:
        video.close()
        raise UserError(f'the video {path} has a single frame, a study compares moving pictures; remove it')
    return video


def encode_clip(chunks: Iterable[np.ndarray], fps: float, *, height: int | None = None,
                crf: int = DEFAULT_CRF) -> EncodedClip:
    """Encode frames as MP4 in memory.

    Args:
        chunks (iterable): Successive frames, uint8 RGB arrays of shape (t, H, W, 3).
        fps (float): Frames per second.
        height (int, optional): Height to scale to, keeping the aspect ratio. By default the size stays; odd
            sides, which yuv420p does not know, are scaled down by one.
        crf (int): x264's constant rate factor, 0 (lossless) to 51.

    Returns:
        EncodedClip: The encoded video.

    Raises:
        UserError: If a side would be longer than H.264 allows.
    """
    buffer, size, digest = io.BytesIO(), None, hashlib.sha256()
    rate = Fraction(fps).limit_denominator(MAX_DENOMINATOR)
    options = {'crf': str(crf), 'preset': 'medium', 'flags': '+bitexact'}
    # bitexact leaves out the muxer's version and the time of day
    with av.open(buffer, 'w', format='mp4', options={'fflags': '+bitexact'}) as container:
        stream = H264Stream(container, rate, options=options, color_matrix='bt709')
        for pixels in (frame for chunk in chunks for frame in chunk):
            size = size or _even_size(pixels.shape[1], pixels.shape[0], height)
            pixels = np.ascontiguousarray(pixels)
            digest.update(pixels)
            stream.write(pixels, size)
        stream.flush()
    return EncodedClip(buffer.getvalue(), stream.num_frames, float(rate), size, digest.hexdigest())


def _even_size(width: int, height: int, wanted: int | None) -> tuple[int, int]:
    """Return the size to encode: scaled to the wanted height, both sides even, at least 2."""
    scale = 1 if wanted is None else wanted / height
    size = tuple(max(2, round(side * scale) // 2 * 2) for side in (width, height))
    if max(size) > MAX_SIDE:
        raise UserError(f'a video of {width} x {height} pixels would become {size[0]} x {size[1]}, more than H.264 '
                        f'allows ({MAX_SIDE}); pass a smaller --height')
    return size
