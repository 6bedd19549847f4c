"""Find the videos of a study, and re-encode them so that the file itself does not reveal the method.

Every video of a page is decoded and encoded again with one setting: H.264 (High, yuv420p, BT.709), no audio, no
metadata. Container, codec, encoder tag, title and file size then do not depend on the method, and every current browser
can play the video.
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

DEFAULT_CRF = 14  # x264's constant rate factor; below 18 is usually considered visually lossless
MAX_FPS_DENOMINATOR = 1001  # exact for the broadcast rates such as 30000/1001
CHUNK = 16  # frames that are decoded at a time
MAX_SIZE = 16384  # largest height and width of H.264 decoders


class EncodedClip(NamedTuple):
    """One encoded video.

    Attributes:
        data (bytes): An MP4 file.
        frames (int): Number of frames.
        fps (float): Frames per second.
        size (tuple): Width and height in pixels.
        digest (str): SHA-256 of the input frames. It identifies the video where ``data`` cannot: another version of
            the encoder may produce other bytes for the same frames.
    """

    data: bytes
    frames: int
    fps: float
    size: tuple[int, int]
    digest: str


def videos_by_name(folder: str | Path) -> dict[str, Path]:
    """List the videos below a folder by the name that matches them with other folders: their path without suffix."""
    if not Path(folder).is_dir():
        raise UserError(f'the folder {folder} does not exist; pass --method NAME=DIR with a folder of videos')
    return {entry.name: entry.path for entry in find_videos(folder, manifest=None)}


def open_moving_video(path: str | Path) -> VideoHandle:
    """Open a video of at least two frames."""
    video = AutoReader().open(path)
    if len(video) < 2:
        video.close()
        raise UserError(f'the video {path} has a single frame, and a study compares videos; remove it')
    return video


def encode_clip(chunks: Iterable[np.ndarray], fps: float, *, height: int | None = None,
                crf: int = DEFAULT_CRF) -> EncodedClip:
    """Encode frames as MP4 in memory.

    Args:
        chunks (Iterable[np.ndarray]): Successive frames, uint8 RGB arrays of shape (t, H, W, 3).
        fps (float): Frames per second.
        height (int, optional): Height to scale to, keeping the aspect ratio. Default: the height of the frames. An odd
            height or width is scaled down by one pixel, since yuv420p needs even ones.
        crf (int): x264's constant rate factor, 0 (lossless) to 51.
    """
    buffer, size, digest = io.BytesIO(), None, hashlib.sha256()
    rate = Fraction(fps).limit_denominator(MAX_FPS_DENOMINATOR)
    options = {'crf': str(crf), 'preset': 'medium', 'flags': '+bitexact'}
    # bitexact omits the muxer's version and the time
    with av.open(buffer, 'w', format='mp4', options={'fflags': '+bitexact'}) as container:
        stream = H264Stream(container, rate, options=options, color_matrix='bt709')
        for pixels in (frame for chunk in chunks for frame in chunk):
            size = size or _even_size(pixels.shape[1], pixels.shape[0], height)
            pixels = np.ascontiguousarray(pixels)
            digest.update(pixels)
            stream.write(pixels, size)
        stream.flush()
    return EncodedClip(buffer.getvalue(), stream.num_frames, float(rate), size, digest.hexdigest())


def _even_size(width: int, height: int, target_height: int | None) -> tuple[int, int]:
    """Width and height to encode: scaled to the target height, both even and at least 2."""
    scale = 1 if target_height is None else target_height / height
    size = tuple(max(2, round(length * scale) // 2 * 2) for length in (width, height))
    if max(size) > MAX_SIZE:
        raise UserError(f'a video of {width} x {height} pixels would become {size[0]} x {size[1]}, more than H.264 '
                        f'allows ({MAX_SIZE}); pass a smaller --height')
    return size
