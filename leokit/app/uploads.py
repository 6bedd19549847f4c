"""Uploaded files: checked by their content, not by their name, before a decoder sees them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from leokit.app.limits import Limits
from leokit.utils import UserError
from leokit.video import read_image
from leokit.video.file_kind import HEAD_BYTES, IMAGE, VIDEO, identify
from leokit.video.readers import VideoHandle
from leokit.video.readers.pyav_reader import PyAVHandle
from leokit.video.sound import sound_problem

WANTED = {IMAGE: 'a PNG, JPEG or WebP image', VIDEO: 'an mp4, mov, webm, mkv, avi or GIF video'}


def check_upload(path: str | Path | None, kind: str, label: str, limits: Limits) -> tuple[str, bytes]:
    """Name and content of an uploaded file.

    Args:
        path (str | Path | None): The file; None if nothing was uploaded.
        kind (str): ``IMAGE`` or ``VIDEO``.
        label (str): What the file is for, as the page calls it.
        limits (Limits): The limits of the page.

    Raises:
        UserError: Nothing was uploaded, the file is too large or empty, or its content is not of this kind.
    """
    if not path:
        raise UserError(f'{label} is missing; upload {WANTED[kind]}, or choose an example')
    path = Path(path)
    if not path.is_file():
        raise UserError(f'{path.name} has been deleted from the server; upload it again')
    size = path.stat().st_size
    if size > limits.max_upload_bytes:
        raise UserError(f'{path.name} has {size / 1e6:.0f} MB, and the page takes {limits.max_upload_mb} MB; upload a '
                        'smaller file')
    content = path.read_bytes()
    if not content:
        raise UserError(f'{path.name} is empty; upload it again')
    words, uses = identify(content[:HEAD_BYTES])
    if kind not in uses:
        raise UserError(f'{path.name} is not {"an image" if kind == IMAGE else "a video"} but {words}; upload '
                        f'{WANTED[kind]}')
    return path.name, content


def read_image_upload(path: str | Path | None, label: str, limits: Limits) -> np.ndarray:
    """An uploaded image as uint8 RGB, shape (H, W, 3)."""
    name, content = check_upload(path, IMAGE, label, limits)
    _check_image_size(name, content, limits)
    try:
        return read_image(content)
    except UserError as error:
        raise UserError(str(error).replace('of the given bytes', name)) from error


def open_video_upload(path: str | Path | None, label: str, limits: Limits) -> VideoHandle:
    """An uploaded video, opened from memory, so that FFmpeg follows no reference to any other file."""
    name, content = check_upload(path, VIDEO, label, limits)
    video = PyAVHandle(Path(name), content=content)
    try:
        if len(video) > limits.max_frames:
            raise UserError(f'{name} has {len(video)} frames, and the page takes {limits.max_frames}; upload a shorter '
                            'video')
        if video.frame_bytes > 3 * limits.max_pixels:
            raise UserError(f'{name} has frames of more than {limits.max_pixels / 1e6:.0f} megapixels; scale it down')
    except UserError:
        video.close()
        raise
    return video


def sound_of(path: str) -> str | None:
    """The uploaded video if it has sound that an mp4 can have."""
    return None if sound_problem(path, 'result.mp4') else path


def _check_image_size(name: str, content: bytes, limits: Limits) -> None:
    """Refuse images that would take gigabytes of memory, from their header alone."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return  # the reader says what is wrong
    if width * height > limits.max_pixels:
        raise UserError(f'{name} has {width}x{height} pixels, and the page takes {limits.max_pixels / 1e6:.0f} '
                        'megapixels; scale it down')
