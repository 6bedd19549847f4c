"""Cut a clip out of a video: some of its frames, cropped to a box, scaled to a square, encoded as H.264.

The usual video (8-bit 4:2:0, upright, square pixels) stays in the pixel format of FFmpeg all the way, which costs
about what the program ffmpeg needs. Every other video takes the way through RGB, :func:`rgb_frames`, which defines the
result.
"""

import hashlib
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from leokit.utils import UserError
from leokit.video.face_crop import CropBox, crop_frames
from leokit.video.readers import VideoHandle
from leokit.video.readers.base import ResampledHandle
from leokit.video.readers.frame_pixels import HD_HEIGHT, UNSPECIFIED_MATRIX, conversion_options, display_matrix
from leokit.video.readers.pyav_reader import PyAVHandle
from leokit.video.readers.wide_color import needs_color_conversion
from leokit.video.resize import fit_frames
from leokit.video.video_writer import VideoWriter

CHUNK_FRAMES = 32  # decoded at a time on the way through RGB
DIRECT_FORMATS = ('yuv420p', 'yuvj420p')
# The matrix by its code in ITU-T H.273, and what FFmpeg's filters call the code: a filter that does not know the matrix
# of its input converts to BT.601.
MATRICES = {1: 'bt709', 5: 'bt601', 6: 'bt601'}
FILTER_NAMES = {1: 'bt709', 5: 'bt470bg', 6: 'smpte170m'}
FULL_RANGE = 2  # FFmpeg's code
UPRIGHT = (1, 0, 0, 1)

Watch = Callable[[np.ndarray], None]


class CutClip(NamedTuple):
    """A clip that was written.

    Attributes:
        frames (int): Number of frames.
        digest (str): SHA-256 of its pixels before encoding; equal pixels cut in the same way have equal digests.
    """

    frames: int
    digest: str


def cut_clip(video: VideoHandle, path: str | Path, first: int, last: int, box: CropBox, size: int, *, crf: int = 18,
             keyframe_interval: int | None = 12, watch: Watch | None = None, watch_size: int | None = None,
             direct: bool = True) -> CutClip:
    """Write the frames ``first`` to ``last`` (excluded) of an open video as a square clip.

    Args:
        video (VideoHandle): The open video; its rate is that of the clip.
        path (str | Path): The clip, .mp4, .mov or .mkv; it appears when it is complete.
        first (int): First frame.
        last (int): End (excluded).
        box (CropBox): In pixels of the frames as they are shown; a box that is no square is squeezed to one. Pixels
            beyond the frame are black.
        size (int): Resolution of the clip, even.
        crf (int): H.264 quality.
        keyframe_interval (int, optional): See :class:`~leokit.video.VideoWriter`.
        watch (Callable, optional): Is called with every frame of the clip, uint8 RGB.
        watch_size (int, optional): Resolution of those frames. Default: that of the clip.
        direct (bool): False takes the way through RGB for every video.
    """
    matrix = None
    if direct:
        # one decoder shows the first frame and goes on to the others: to decode a frame takes its group up to it
        decoded, indices = _decoder(video, np.arange(first, last))
        start = next(decoded, None)
        matrix = None if start is None else _direct_matrix(video, start, box)
    digest = hashlib.sha256()
    with VideoWriter(path, video.fps, crf=crf, keyframe_interval=keyframe_interval, threads=1,
                     color_matrix=matrix or 'bt601') as writer:
        if matrix is None:
            for frames in rgb_frames(video, first, last, box, size):
                writer.write(frames)
                digest.update(frames)
                if watch is not None:
                    for frame in fit_frames(frames, watch_size or size):
                        watch(frame)
        else:
            formatter = VideoReformatter()
            for frame in _scaled(chain([start], decoded), indices, video.path, box, size):
                digest.update(_luma(frame))
                if watch is not None:
                    watch(_rgb(formatter, frame, matrix, watch_size or size))
                writer.write_encodable(frame)
        count = writer.num_frames
    return CutClip(count, digest.hexdigest())


def rgb_frames(video: VideoHandle, first: int, last: int, box: CropBox, size: int) -> Iterator[np.ndarray]:
    """The frames of a clip, chunk by chunk, uint8 RGB (T, size, size, 3)."""
    for chunk in video.chunks(CHUNK_FRAMES, first, last):
        yield crop_frames(chunk, box, size)


def _scaled(frames: Iterable[av.VideoFrame], indices: np.ndarray, path: str | Path, box: CropBox,
            size: int) -> Iterator[av.VideoFrame]:
    graph = None
    for number, frame in zip(indices, frames):
        layout = (frame.width, frame.height, frame.format.name)
        if graph is None:
            graph, start = _build_graph(frame, box, size), layout
        if layout != start:
            raise UserError(f'{path} has frames of different sizes (frame {number}); convert it to one size')
        graph.push(frame)
        yield graph.pull()


def _decoder(video: VideoHandle, indices: np.ndarray) -> tuple[Iterator[av.VideoFrame], np.ndarray]:
    """Frames of the file behind a video as FFmpeg decodes them, and their numbers; none if they need a conversion."""
    source = _source(video)
    if not isinstance(source, PyAVHandle) or source.has_other_shape:
        return iter(()), indices
    wanted = video.indices[indices] if isinstance(video, ResampledHandle) else source.file_indices(indices)
    return source.decode_file(wanted), wanted


def _source(video: VideoHandle) -> VideoHandle:
    return video.video if isinstance(video, ResampledHandle) else video


def _direct_matrix(video: VideoHandle, frame: av.VideoFrame, box: CropBox) -> str | None:
    """The color matrix of a video that needs no conversion to RGB, by its frame; None if it does."""
    inside = 0 <= box.left < box.right <= frame.width and 0 <= box.top < box.bottom <= frame.height
    if not inside or frame.format.name not in DIRECT_FORMATS or needs_color_conversion(frame):
        return None
    if display_matrix(frame) not in (None, UPRIGHT):
        return None
    if frame.colorspace == UNSPECIFIED_MATRIX:
        untagged = _source(video).untagged_matrix
        return 'bt709' if untagged == 'bt709' or (
            untagged == 'auto' and frame.height >= HD_HEIGHT) else 'bt601'
    return MATRICES.get(frame.colorspace)


def _build_graph(frame: av.VideoFrame, box: CropBox, size: int) -> av.filter.Graph:
    """Crop and scale within 4:2:0, to limited range.

    Chroma of 4:2:0 can be cropped at even numbers only, so a box with odd sides is cropped in two steps, the second at
    full resolution of chroma.
    """
    full = frame.format.name == 'yuvj420p' or frame.color_range == FULL_RANGE
    width, height = box.right - box.left, box.bottom - box.top
    outer = CropBox(box.left & ~1, box.top & ~1, min(box.right + (box.right & 1), frame.width),
                    min(box.bottom + (box.bottom & 1), frame.height))
    quality = 'accurate_rnd+full_chroma_int'
    shrinks = width >= size and height >= size
    matrix = f':colorspace={FILTER_NAMES[frame.colorspace]}' if frame.colorspace in FILTER_NAMES else ''
    graph = av.filter.Graph()
    nodes = [graph.add('buffer', f'video_size={frame.width}x{frame.height}:pix_fmt=yuv420p:time_base=1/1000:'
                                 f'pixel_aspect=1/1:range={"pc" if full else "tv"}{matrix}'),
             graph.add('crop', f'{outer.right - outer.left}:{outer.bottom - outer.top}:{outer.left}:{outer.top}')]
    if outer != box:
        nodes += [graph.add('scale', f'flags=bilinear+{quality}'), graph.add('format', 'yuv444p'),
                  graph.add('crop', f'{width}:{height}:{box.left - outer.left}:{box.top - outer.top}')]
    # Chroma in the middle of its 2x2 pixels, as the writer tags it.
    nodes += [graph.add('scale', f'{size}:{size}:flags={"area" if shrinks else "bicubic"}+{quality}:out_range=tv:'
                                 'out_chroma_loc=center'),
              graph.add('format', 'yuv420p'), graph.add('buffersink')]
    graph.link_nodes(*nodes).configure()
    return graph


def _luma(frame: av.VideoFrame) -> np.ndarray:
    plane = frame.planes[0]
    pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:frame.height, :frame.width]
    return np.ascontiguousarray(pixels)


def _rgb(formatter: VideoReformatter, frame: av.VideoFrame, matrix: str, size: int) -> np.ndarray:
    options: dict[str, Any] = dict(conversion_options(), src_colorspace='ITU709' if matrix == 'bt709' else 'ITU601')
    return formatter.reformat(frame, size, size, format='rgb24', **options).to_ndarray()
