"""Videos of callers (paths, open videos, arrays, tensors) as model inputs.

Frames are treated like training data (:func:`~leokit.video.resize.fit_frames`): ``crop`` is that of the model's
training, ``Animator.crop``.
"""

from contextlib import closing, contextmanager
from pathlib import Path
from typing import Iterator, TypeAlias

import numpy as np
import torch
from torch import Tensor

from leokit.utils import Prefetcher, UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video.readers import AutoReader, VideoHandle
from leokit.video.readers.base import DEFAULT_FPS
from leokit.video.resize import fit_to_tensor

# A path (file or folder); an open video; an array uint8 (T, H, W, 3); a tensor (T, 3, H, W), uint8 or in [-1, 1].
VideoInput: TypeAlias = str | Path | VideoHandle | np.ndarray | Tensor


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


def open_video(video: VideoInput) -> VideoHandle:
    """Open a video of any kind, with at least one frame; an open video is returned as it is."""
    if isinstance(video, VideoHandle):
        return video
    if isinstance(video, (str, Path)):
        return AutoReader().open(video)
    if isinstance(video, (np.ndarray, Tensor)):
        return FramesHandle(video)
    raise UserError(f'a {type(video).__name__} is not a video; pass a path, an open video, an array or a tensor')


@contextmanager
def _opened(video: VideoInput) -> Iterator[VideoHandle]:
    """Close on exit what was opened here, not a video that was open before."""
    handle = open_video(video)
    try:
        yield handle
    finally:
        if handle is not video:
            handle.close()


def count_frames(video: VideoInput) -> int:
    """Number of frames of a video, at least 1; an open video stays open."""
    with _opened(video) as handle:
        return len(handle)


def iterate_frames(video: VideoInput, size: int, *, chunk_size: int, first: int = 0,
                   last: int | None = None, crop: str = 'center') -> Iterator[Tensor]:
    """Prepare the frames of a video in chunks; the next chunk is decoded in a thread meanwhile.

    Args:
        video (VideoInput): The video; an open video stays open.
        size (int): Resolution S of the model.
        chunk_size (int): Frames per chunk; the last chunk may be shorter.
        first (int): First frame.
        last (int, optional): End (excluded); None is the end of the video.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.

    Yields:
        Tensor: Consecutive uint8 frames, shape (t, 3, S, S).
    """
    with _opened(video) as handle:
        chunks = (fit_to_tensor(chunk, size, crop) for chunk in handle.chunks(chunk_size, first, last))
        with Prefetcher(chunks) as prefetched:
            yield from prefetched


def read_first_frame(video: VideoInput, size: int, *, crop: str = 'center') -> Tensor:
    """The first frame of a video as float32 in [-1, 1], shape (1, 3, S, S); an open video stays open."""
    with closing(iterate_frames(video, size, chunk_size=1, last=1, crop=crop)) as frames:
        return from_uint8(next(frames))


def read_last_frame(video: VideoInput, size: int, *, crop: str = 'center') -> Tensor:
    """The last frame of a video; see :func:`read_first_frame`."""
    with _opened(video) as handle, closing(
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
