"""H.264 encoding of RGB frames.

H.264 stores YCbCr, and two matrices are in use to get there. Streams are always tagged with the matrix that encoded
them; a player that ignores the tag and guesses wrong shows shifted colors.

- ``'bt601'`` is the usual guess for video of low resolution. :class:`~leokit.video.VideoWriter` writes it by default.
- ``'bt709'`` is the usual guess of browsers. The pages of user studies use it.

Read back by their tags, both give the same colors up to rounding.
"""

import io
import threading
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from leokit.utils.errors import UserError
from leokit.video.conversion_threads import ONE_THREAD

H264_SUFFIXES = ('.mp4', '.mkv', '.mov')
PIXEL_FORMATS = ('yuv420p', 'yuv444p')
# Encoders and their option for constant quality; all but the first one need hardware.
ENCODERS = {'libx264': 'crf', 'h264_nvenc': 'cq', 'h264_qsv': 'global_quality', 'h264_amf': 'qp_p',
            'h264_videotoolbox': 'q:v', 'h264_vaapi': 'qp'}
LIMITED_RANGE = 1  # FFmpeg's code: luma from 16 to 235
# x264's AVX-512 code is not deterministic: of 2,000 encodings of the same frames 58 differed, by up to 29 levels after
# decoding; none with AVX2, which is as fast.
DETERMINISTIC_X264 = 'asm=avx2'


class ColorMatrix(NamedTuple):
    """A matrix from RGB to YCbCr: its name in FFmpeg, and its code in ITU-T H.273."""

    name: str
    code: int  # of the matrix, the primaries and the transfer function alike


COLOR_MATRICES = {'bt601': ColorMatrix('ITU601', 6), 'bt709': ColorMatrix('ITU709', 1)}


def container_options(path: Path) -> dict[str, str]:
    """Options of FFmpeg's muxer: in MP4 and MOV the index comes first, so that browsers play while they load."""
    return dict(movflags='faststart') if path.suffix.lower() in ('.mp4', '.mov') else {}


def check_h264_options(pixel_format: str, color_matrix: str) -> None:
    """Raise a :class:`ValueError` for unknown values."""
    if pixel_format not in PIXEL_FORMATS:
        raise ValueError(f'pixel_format must be one of {", ".join(PIXEL_FORMATS)}, got {pixel_format!r}')
    if color_matrix not in COLOR_MATRICES:
        raise ValueError(f'color_matrix must be one of {", ".join(COLOR_MATRICES)}, got {color_matrix!r}')


def check_encoder(encoder: str) -> None:
    """Raise a :class:`UserError` for an H.264 encoder that cannot be used here; hardware is tried with one frame."""
    if encoder not in ENCODERS:
        raise UserError(f'unknown H.264 encoder {encoder!r}; choose one of {", ".join(ENCODERS)}')
    if encoder == 'libx264':
        return
    try:
        with av.open(io.BytesIO(), 'w', format='mp4') as container:
            stream = H264Stream(container, Fraction(25), options={}, color_matrix='bt601', encoder=encoder)
            stream.write(np.zeros((256, 256, 3), np.uint8))
            stream.flush()
    except (av.FFmpegError, ValueError, OSError) as error:
        raise UserError(f'the encoder {encoder} cannot be used here ({getattr(error, "strerror", None) or error}); '
                        'use libx264') from error


class H264Stream:
    """An H.264 stream of a container that is being written.

    Args:
        container (av.container.OutputContainer): The container; the caller closes it.
        rate (Fraction): Frames per second.
        options (dict[str, str]): Options of the encoder.
        color_matrix (str): 'bt601' or 'bt709'; see the module.
        pixel_format (str): One of ``PIXEL_FORMATS``.
        interpolation (str, optional): FFmpeg's filter for chroma and scaling. Default: FFmpeg's own, bilinear.
        threads (int, optional): Encoder threads; 0 lets the encoder choose.
        keyframe_interval (int, optional): Most frames from one key frame to the next.
        encoder (str): One of ``ENCODERS``.
    """

    def __init__(self, container: 'av.container.OutputContainer', rate: Fraction, *, options: dict[str, str],
                 color_matrix: str, pixel_format: str = 'yuv420p', interpolation: str | None = None,
                 threads: int | None = None, keyframe_interval: int | None = None,
                 encoder: str = 'libx264') -> None:
        matrix = COLOR_MATRICES[color_matrix]
        self._container = container
        self._time_base = 1 / rate
        self._reformatters = threading.local()  # one for each thread
        self._conversion = dict(format=pixel_format, dst_colorspace=matrix.name, dst_color_range='MPEG',
                                interpolation=interpolation, **ONE_THREAD)
        if encoder == 'libx264':
            options = options | _x264_params(options.get('x264-params'))
        self._stream = container.add_stream(encoder, rate=rate, options=options)
        context = self._stream.codec_context
        context.pix_fmt = pixel_format
        if threads is not None:
            context.thread_count = threads
        if keyframe_interval is not None:
            context.gop_size = keyframe_interval
        context.colorspace, context.color_range = matrix.code, LIMITED_RANGE
        context.color_primaries, context.color_trc = matrix.code, matrix.code
        self.num_frames = 0

    def write(self, frame: np.ndarray, size: tuple[int, int] | None = None) -> None:
        """Encode a frame.

        Args:
            frame (np.ndarray): uint8 RGB, shape (H, W, 3), contiguous.
            size (tuple[int, int], optional): Width and height to scale to. Default: those of the frame. They must be
                even and the same for all frames.
        """
        width, height = size or (frame.shape[1], frame.shape[0])
        self.write_encodable(self.convert(frame, width, height))

    def convert(self, frame: np.ndarray, width: int, height: int) -> av.VideoFrame:
        """An RGB frame (H, W, 3) in the pixel format, matrix and range of the stream; several threads may call it."""
        if not hasattr(self._reformatters, 'own'):
            self._reformatters.own = VideoReformatter()
        return self._reformatters.own.reformat(
            av.VideoFrame.from_ndarray(frame, format='rgb24'), width, height, **self._conversion)

    def write_encodable(self, frame: av.VideoFrame) -> None:
        """Encode a frame in the pixel format, matrix and range of the stream."""
        if self.num_frames == 0:
            self._stream.width, self._stream.height = frame.width, frame.height
        frame.pts, frame.time_base = self.num_frames, self._time_base
        frame.pict_type = PictureType.NONE  # that of a decoded frame would make a key frame of a key frame
        self._container.mux(self._stream.encode(frame))
        self.num_frames += 1

    def flush(self) -> None:
        """Write the frames that the encoder has buffered."""
        if self.num_frames:
            self._container.mux(self._stream.encode(None))


def _x264_params(params: str | None) -> dict[str, str]:
    """The option of x264's own parameters: those that are given, and what makes x264 deterministic here."""
    # asm=avx2 on a processor without AVX2 would crash
    has_avx512 = torch.backends.cpu.get_cpu_capability() == 'AVX512'
    params = ':'.join(filter(None, (params, DETERMINISTIC_X264 if has_avx512 else None)))
    return {'x264-params': params} if params else {}
