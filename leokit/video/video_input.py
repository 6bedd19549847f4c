"""Videos of callers (paths, open videos, arrays, tensors) as model inputs.

Frames are treated like training data (:func:`~leokit.video.resize.fit_frames`): ``crop`` is that of the model's
training, ``Animator.crop``.
"""

import logging
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, TypeAlias

import numpy as np
import torch
from mmengine.logging import print_log
from PIL import Image
from torch import Tensor

from leokit.utils import Prefetcher, UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video.conversion_threads import converter_count
from leokit.video.frame_fit import SquareFit
from leokit.video.frame_rate import DEFAULT_FPS
from leokit.video.images import TRANSPARENT_BACKGROUND, to_rgb
from leokit.video.readers import AutoReader, VideoHandle
from leokit.video.readers.pyav_reader import PyAVHandle
from leokit.video.resize import check_crop, fit_to_tensor, to_channels_first
from leokit.video.yuv420 import Yuv420Frames, yuv420_to_rgb

# A path (file or folder); an open video; the content of a file, or an open binary file; an array uint8 (T, H, W, 3); a
# tensor (T, 3, H, W), uint8 or in [-1, 1]; frames one by one, as a list or an iterator (a camera): arrays uint8
# (H, W, 3), PIL images or tensors (3, H, W).
VideoInput: TypeAlias = str | Path | VideoHandle | bytes | BinaryIO | np.ndarray | Tensor | Iterable

# Read ahead for a GPU, in pinned memory: reading goes on while its CUDA graphs are captured, some tenths of a second.
PINNED_CHUNKS, PINNED_BYTES = 64, 2**26

_warned: set[str] = set()  # kinds of warnings that are given once


class FramesHandle(VideoHandle):
    """Frames in memory, as an open video.

    Args:
        frames (np.ndarray | Tensor): uint8 (T, H, W, 3), or a tensor (T, 3, H, W), uint8 or float in [-1, 1].
        fps (float): Frames per second.
    """

    def __init__(self, frames: np.ndarray | Tensor, fps: float = DEFAULT_FPS) -> None:
        super().__init__(Path('frames in memory'), fps)
        if isinstance(frames, Tensor):
            frames = tensor_to_frames(frames, 'the video')
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or frames.size == 0:
            raise UserError(f'the video is an array of {frames.dtype} with shape {frames.shape}; pass uint8 frames of '
                            'shape (T, H, W, 3) with at least one frame')
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        pass

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self._frames[indices]


def open_video(video: VideoInput, *, background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> VideoHandle:
    """Open a video of any kind, with at least one frame; an open video is returned as it is.

    An iterator of frames is read to its end. ``background`` is the color behind transparent pixels of files.
    """
    if isinstance(video, VideoHandle):
        return video
    if isinstance(video, (str, Path)):
        return AutoReader(background=background).open(video)
    if isinstance(video, (np.ndarray, Tensor)):
        return FramesHandle(video)
    if isinstance(video, (bytes, bytearray, memoryview)):
        return PyAVHandle(Path('the given bytes'), content=bytes(video), background=background)
    if hasattr(video, 'read'):
        return PyAVHandle(Path(str(getattr(video, 'name', 'the given file object'))), content=video.read(),
                          background=background)
    if isinstance(video, Iterable):
        frames = [frame_to_rgb(frame, index) for index, frame in enumerate(video)]
        if not frames:
            raise UserError('the video has no frames; pass at least one')
        if len({frame.shape for frame in frames}) > 1:
            raise UserError('the frames of the video have different sizes; pass frames of one size')
        return FramesHandle(np.stack(frames))
    raise UserError(f'a {type(video).__name__} is not a video; pass a path, an open video, bytes, an array, a tensor '
                    'or frames')


def is_frame_stream(video: VideoInput) -> bool:
    """True for an iterator of frames, which can be read once, may be endless, and has no rate."""
    return isinstance(video, Iterator) and not hasattr(video, 'read')  # file objects are iterators of lines


def reusable_video(video: VideoInput) -> VideoInput:
    """The same video in a form that can be read more than once: iterators and file objects are read to their end."""
    is_file = hasattr(video, 'read') and not isinstance(video, VideoHandle)
    return open_video(video) if is_file or is_frame_stream(video) else video


@contextmanager
def opened(video: VideoInput) -> Iterator[VideoHandle]:
    """An open video; what was opened here is closed on exit, not a video that was open before."""
    handle = open_video(video)
    try:
        yield handle
    finally:
        if handle is not video:
            handle.close()


def count_frames(video: VideoInput) -> int:
    """Number of frames of a video, at least 1; an open video stays open."""
    with opened(video) as handle:
        return len(handle)


def length_and_rate(video: VideoInput) -> tuple[int | None, float]:
    """Number of frames and frame rate of a video; an iterator of frames has no known length, and ``DEFAULT_FPS``."""
    if is_frame_stream(video):
        return None, DEFAULT_FPS
    with opened(video) as handle:
        return len(handle), handle.fps


def iterate_frames(video: VideoInput, size: int, *, chunk_size: int, first: int = 0,
                   last: int | None = None, crop: str = 'center',
                   device: torch.device | str = 'cpu') -> Iterator[Tensor]:
    """Prepare the frames of a video in chunks; the next chunks are decoded in a thread meanwhile.

    Args:
        video (VideoInput): The video; an open video stays open.
        size (int): Resolution S of the model.
        chunk_size (int): Frames per chunk; the last chunk may be shorter.
        first (int): First frame.
        last (int, optional): End (excluded); None is the end of the video.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.
        device (torch.device | str): Where the frames are needed. To a GPU they are copied asynchronously, and videos of
            H.264 and its like that have the size S already are converted from 4:2:0 there
            (:func:`~leokit.video.yuv420.yuv420_to_rgb`).

    Yields:
        Tensor: Consecutive uint8 frames, shape (t, 3, S, S), on the device.
    """
    device = torch.device(device)
    if is_frame_stream(video):
        yield from (chunk.to(device) for chunk in _iterate_stream(video, size, chunk_size, first, last, crop))
        return
    with opened(video) as handle:
        if device.type != 'cuda':
            chunks = _fitted_chunks(handle, size, chunk_size, first, last, crop)
            with Prefetcher(chunks) as prefetched:
                yield from (chunk.to(device) for chunk in prefetched)
            return
        ahead = max(2, min(PINNED_CHUNKS, PINNED_BYTES // (chunk_size * 3 * size * size)))
        with Prefetcher(_pinned_chunks(handle, size, chunk_size, first, last, crop), ahead) as prefetched:
            for chunk in prefetched:
                yield _on_device(chunk, device)


def _pinned_chunks(handle: VideoHandle, size: int, chunk_size: int, first: int, last: int | None,
                   crop: str) -> Iterator[Tensor | Yuv420Frames]:
    """Chunks in pinned memory: frames (t, 3, S, S), or as the file stores them if they have that size."""
    stored = handle.yuv420_size == (size, size)
    if not stored and (threads := converter_count()):  # converting takes twice as long as decoding
        handle.convert_in_threads(threads)
    if not stored:
        yield from (chunk.pin_memory() for chunk in _fitted_chunks(handle, size, chunk_size, first, last, crop))
        return
    for chunk in handle.yuv420_chunks(chunk_size, first, last):
        if isinstance(chunk, Yuv420Frames):
            yield chunk._replace(planes=chunk.planes.pin_memory())
        else:
            yield fit_to_tensor(chunk, size, crop).pin_memory()


def _fitted_chunks(handle: VideoHandle, size: int, chunk_size: int, first: int, last: int | None,
                   crop: str) -> Iterator[Tensor]:
    """Chunks of frames (t, 3, S, S)."""
    check_crop(crop)
    for chunk in handle.fitted_chunks(SquareFit(size, crop), chunk_size, first, last):
        yield torch.from_numpy(to_channels_first(chunk))


def _on_device(chunk: Tensor | Yuv420Frames, device: torch.device) -> Tensor:
    if isinstance(chunk, Yuv420Frames):
        return yuv420_to_rgb(chunk._replace(planes=chunk.planes.to(device, non_blocking=True)))
    return chunk.to(device, non_blocking=True)


def _iterate_stream(frames: Iterator, size: int, chunk_size: int, first: int, last: int | None,
                    crop: str) -> Iterator[Tensor]:
    """Chunks (t, 3, S, S) of frames that come one by one; an endless stream takes no more memory than a short one."""
    fitted = (fit_to_tensor(frame_to_rgb(frame, index)[None], size, crop)
              for index, frame in enumerate(islice(frames, last)) if index >= first)
    while chunk := list(islice(fitted, chunk_size)):
        yield torch.cat(chunk)


def frame_to_rgb(frame: np.ndarray | Tensor | Image.Image, index: int) -> np.ndarray:
    """uint8 RGB (H, W, 3) of one frame, a PIL image, an array uint8 (H, W, 3) or a tensor (3, H, W)."""
    name = f'frame {index}'
    if isinstance(frame, Image.Image):
        return to_rgb(frame, name)
    if isinstance(frame, Tensor):
        return tensor_to_frames(frame[None] if frame.ndim == 3 else frame, name)[0]
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[-1] != 3:
        kind = f'{frame.dtype} of shape {frame.shape}' if isinstance(frame, np.ndarray) else type(frame).__name__
        raise UserError(f'{name} of the video is {kind}; pass arrays uint8 (H, W, 3), PIL images or tensors '
                        '(3, H, W)')
    return frame


def read_first_frame(video: VideoInput, size: int, *, crop: str = 'center') -> Tensor:
    """The first frame of a video as float32 in [-1, 1], shape (1, 3, S, S); an open video stays open."""
    with closing(iterate_frames(video, size, chunk_size=1, last=1, crop=crop)) as frames:
        return from_uint8(next(frames))


def read_last_frame(video: VideoInput, size: int, *, crop: str = 'center') -> Tensor:
    """The last frame of a video; see :func:`read_first_frame`."""
    with opened(video) as handle, closing(
            iterate_frames(handle, size, chunk_size=1, first=len(handle) - 1, crop=crop)) as frames:
        return from_uint8(next(frames))


def tensor_to_frames(frames: Tensor, name: str) -> np.ndarray:
    """(T, 3, H, W), uint8 or float in [-1, 1], to uint8 (T, H, W, 3); ``name`` is used in error messages."""
    if frames.ndim != 4 or frames.shape[1] != 3 or frames.numel() == 0:
        raise UserError(f'{name} is a tensor of shape {tuple(frames.shape)}; pass three channels first, '
                        'at least one frame, and no empty dimension')
    if frames.is_floating_point():
        check_pixel_range(frames, name)
        frames = to_uint8(frames)
    if frames.dtype != torch.uint8:
        raise UserError(f'{name} is a tensor of {frames.dtype}; pass uint8, or floating point in [-1, 1]')
    return frames.permute(0, 2, 3, 1).cpu().numpy()


def check_pixel_range(pixels: Tensor, name: str) -> None:
    """Raise a :class:`UserError` unless floating-point pixels lie in [-1, 1]."""
    lowest, highest = (float(bound) for bound in pixels.aminmax())
    if not (lowest >= -1.01 and highest <= 1.01):  # NaN fails too; resampled pixels may overshoot a little
        raise UserError(f'{name} has values from {lowest:.3g} to {highest:.3g}; floating-point pixels must lie in '
                        '[-1, 1]')
    if lowest >= 0 and highest > 0 and 'range' not in _warned:
        _warned.add('range')
        print_log(f'{name} has no value below 0 (its values go from {lowest:.3g} to {highest:.3g}), and floating-point '
                  'pixels are taken to lie in [-1, 1], black to white; if yours lie in [0, 1], pass 2 * pixels - 1',
                  logger='current', level=logging.WARNING)
