"""Open media files with FFmpeg, safely, and choose the video track among several."""

import io
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from leokit.utils import UserError
from leokit.video.ffmpeg_url import local_url

PICTURE_CODECS = ('mjpeg', 'png', 'bmp', 'tiff', 'webp', 'jpeg2000', 'ljpeg')
# Tracks that are no video: cover pictures, chapter thumbnails, stills.
NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
# Decoders that read the transparency of a codec, which FFmpeg's own decoders ignore.
ALPHA_DECODERS = dict(vp8='libvpx', vp9='libvpx-vp9')


def open_container(path: Path, content: bytes | None = None) -> Any:
    """Open a local file, or the content of one, for reading; no other file or address is followed from it."""
    # torchvision before 0.24 has FFmpeg's messages logged by Python: a decoder thread with a message would wait for
    # the interpreter, while the interpreter waits for the thread to end
    av.logging.set_level(None)
    # tags that are not UTF-8 are no reason to refuse a video; PyAV 19 ignores them without this option
    tolerant = {} if int(av.__version__.split('.')[0]) >= 19 else dict(metadata_errors='ignore')
    if content is not None:
        return av.open(io.BytesIO(content), options={'protocol_whitelist': ''}, **tolerant)
    return av.open(local_url(path), options={'protocol_whitelist': 'file'}, **tolerant)


def choose_stream(container: Any, path: Path) -> Any:
    """The video track to read: the default one, or the largest; no picture where there is a video.

    Args:
        container (av.container.InputContainer): An open file.
        path (Path): Its name, for error messages.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & NO_VIDEO]
    if not streams:
        found = 'a cover picture, but no video stream' if container.streams.video else 'no video stream'
        raise UserError(f'{path} has {found}; it may be an audio file; pass a video')
    decodable = [stream for stream in streams if stream.codec_context is not None]
    if not decodable:
        raise UserError(f'{path} has a codec that this build of FFmpeg cannot decode; convert it to H.264')
    return max(decodable, key=_rank)  # the first of equals


def _rank(stream: Any) -> tuple[bool, bool, int]:
    context = stream.codec_context
    return (context.name not in PICTURE_CODECS, bool(stream.disposition & Disposition.default),
            (context.width or 0) * (context.height or 0))


def alpha_decoder(stream: Any) -> Any | None:
    """A decoder of the transparency that a WebM track carries; None if it has none, or this FFmpeg no such decoder."""
    if stream.metadata.get('alpha_mode') != '1' or stream.codec_context.name not in ALPHA_DECODERS:
        return None
    try:
        return av.CodecContext.create(ALPHA_DECODERS[stream.codec_context.name], 'r')
    except (av.FFmpegError, ValueError):  # UnknownCodecError is a ValueError
        return None
