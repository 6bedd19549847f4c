"""What people hand to a pipeline, turned into what a model takes.

Pictures and frames get the same treatment as training data: the largest square is cut out of the middle and resized
(:func:`leokit.datasets.fit_frames`).
"""

from contextlib import closing
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from leokit.utils import Prefetcher, UserError
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video.images import read_image, to_rgb
from leokit.video.readers import AutoReader, VideoHandle
from leokit.video.readers.base import DEFAULT_FPS
from leokit.video.resize import fit_frames, to_channels_first

# A path; a PIL image; an array (H, W) or (H, W, 1|3|4) of uint8 or uint16; a tensor (3, H, W), uint8 or in [-1, 1].
Picture = str | Path | Image.Image | np.ndarray | Tensor
# A path (file or folder); an open video; an array uint8 (T, H, W, 3); a tensor (T, 3, H, W), uint8 or in [-1, 1].
Video = str | Path | VideoHandle | np.ndarray | Tensor


# ---- pictures ----------------------------------------------------------------
def read_images(images: Picture | Sequence[Picture], size: int) -> Tensor:
    """Prepare one picture or several.

    Args:
        images (Picture | Sequence[Picture]): Pictures of any mode and size, mixed at will; a tensor may also be a
            batch (B, 3, H, W).
        size (int): Side S of the model.

    Returns:
        Tensor: float32 in [-1, 1], shape (B, 3, S, S), on the CPU.

    Raises:
        UserError: If there is no picture or one cannot be read.
    """
    if isinstance(images, Tensor):
        images = images if images.ndim == 4 else [images]
    elif isinstance(images, (str, Path, Image.Image, np.ndarray)):
        images = [images]
    if len(images) == 0:
        raise UserError('there is no picture to read; pass at least one')
    return torch.stack([_prepare(image, size, f'number {index}') for index, image in enumerate(images)])


def _prepare(image: Picture, size: int, name: str) -> Tensor:
    """One picture as float (3, S, S)."""
    if isinstance(image, Tensor) and image.is_floating_point() and image.shape == (3, size, size):
        _check_range(image, f'picture {name}')
        return image.float().cpu()
    if isinstance(image, (str, Path)):
        pixels = read_image(image)
    elif isinstance(image, Image.Image):
        pixels = to_rgb(ImageOps.exif_transpose(image), name, file_format=image.format)
    elif isinstance(image, np.ndarray):
        pixels = _array_to_rgb(image, name)
    elif isinstance(image, Tensor):
        pixels = _tensor_to_frames(image[None] if image.ndim == 3 else image, f'picture {name}')[0]
    else:
        raise UserError(f'picture {name} is a {type(image).__name__}; pass a path, a PIL image, an array or a tensor')
    return from_uint8(fit_video(pixels[None], size))[0]


def _array_to_rgb(array: np.ndarray, name: str) -> np.ndarray:
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (3, 4))
    if not fits or array.dtype not in (np.uint8, np.uint16) or array.size == 0:
        raise UserError(f'picture {name} is an array of {array.dtype} with shape {array.shape}; pass uint8 or uint16 '
                        'of shape (H, W), (H, W, 3) or (H, W, 4), or a float tensor (3, H, W) in [-1, 1]')
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    return to_rgb(Image.fromarray(np.ascontiguousarray(array)), name)


# ---- videos ------------------------------------------------------------------
class FramesHandle(VideoHandle):
    """Frames in memory, as an open video.

    Args:
        frames (np.ndarray | Tensor): uint8 (T, H, W, 3), or a tensor (T, 3, H, W), uint8 or float in [-1, 1].
        fps (float): Frames per second.

    Raises:
        UserError: If there is no frame or the shape or type is another.
    """

    def __init__(self, frames: np.ndarray | Tensor, fps: float = DEFAULT_FPS) -> None:
        super().__init__(Path('frames in memory'), fps)
        if isinstance(frames, Tensor):
            frames = _tensor_to_frames(frames, 'the video')
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or frames.size == 0:
            raise UserError(f'the video is an array of {frames.dtype} with shape {frames.shape}; pass uint8 frames of '
                            'shape (T, H, W, 3) with at least one frame')
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def close(self) -> None:
        """Nothing to give back."""

    def _read(self, indices: np.ndarray) -> np.ndarray:
        return self._frames[indices]


def open_video(video: Video) -> VideoHandle:
    """Open whatever a person calls a video.

    Args:
        video (Video): A path, frames in memory, or an open video, which is returned as it is.

    Returns:
        VideoHandle: The open video, with at least one frame.

    Raises:
        UserError: If it is missing, broken, empty or no video.
    """
    if isinstance(video, VideoHandle):
        return video
    if isinstance(video, (str, Path)):
        return AutoReader().open(video)
    if isinstance(video, (np.ndarray, Tensor)):
        return FramesHandle(video)
    raise UserError(f'a {type(video).__name__} is no video; pass a path, an open video, an array or a tensor')


def count_frames(video: Video) -> int:
    """How many frames a video has; an open video stays open.

    Args:
        video (Video): A path, an open video or frames in memory.

    Returns:
        int: At least 1.

    Raises:
        UserError: If the video cannot be opened.
    """
    handle = open_video(video)
    try:
        return len(handle)
    finally:
        if handle is not video:
            handle.close()


def iterate_frames(video: Video, size: int, *, chunk_size: int, first: int = 0,
                   last: int | None = None) -> Iterator[Tensor]:
    """Prepare the frames of a video piece by piece; the next piece is decoded in a thread meanwhile.

    Args:
        video (Video): A path, an open video (it stays open) or frames in memory.
        size (int): Side S of the model.
        chunk_size (int): Frames per piece; the last piece may be shorter.
        first (int): First frame.
        last (int, optional): Where to stop; None is the end of the video.

    Yields:
        Tensor: Consecutive uint8 frames, shape (t, 3, S, S).

    Raises:
        UserError: If the video cannot be opened or a frame cannot be decoded.
    """
    handle = open_video(video)
    try:
        pieces = (fit_video(piece, size) for piece in handle.chunks(chunk_size, first, last))
        with Prefetcher(pieces) as ahead:
            yield from ahead
    finally:
        if handle is not video:
            handle.close()


def read_first_frame(video: Video, size: int) -> Tensor:
    """The first frame of a video as a picture.

    Args:
        video (Video): A path, an open video (it stays open) or frames in memory.
        size (int): Side S of the model.

    Returns:
        Tensor: float32 in [-1, 1], shape (1, 3, S, S).

    Raises:
        UserError: If the video cannot be opened or its first frame cannot be decoded.
    """
    with closing(iterate_frames(video, size, chunk_size=1, last=1)) as frames:
        return from_uint8(next(frames))


def read_last_frame(video: Video, size: int) -> Tensor:
    """The last frame of a video as a picture; see :func:`read_first_frame`."""
    handle = open_video(video)
    try:
        with closing(iterate_frames(handle, size, chunk_size=1, first=len(handle) - 1)) as frames:
            return from_uint8(next(frames))
    finally:
        if handle is not video:
            handle.close()


# ---- shared ------------------------------------------------------------------
def fit_video(frames: np.ndarray, size: int) -> Tensor:
    """uint8 frames (T, H, W, 3) to (T, 3, S, S)."""
    return torch.from_numpy(to_channels_first(fit_frames(frames, size)))


def _tensor_to_frames(frames: Tensor, name: str) -> np.ndarray:
    """(T, 3, H, W), uint8 or in [-1, 1], to uint8 (T, H, W, 3)."""
    if frames.ndim != 4 or frames.shape[1] != 3 or frames.numel() == 0:
        raise UserError(f'{name} is a tensor of shape {tuple(frames.shape)}; pass three channels first, '
                        'at least one frame, and none of the sides empty')
    if frames.is_floating_point():
        _check_range(frames, name)
        frames = to_uint8(frames)
    if frames.dtype != torch.uint8:
        raise UserError(f'{name} is a tensor of {frames.dtype}; pass uint8, or floating point in [-1, 1]')
    return frames.permute(0, 2, 3, 1).cpu().numpy()


def _check_range(pixels: Tensor, name: str) -> None:
    lowest, highest = (float(bound) for bound in pixels.aminmax())
    if not (lowest >= -1.01 and highest <= 1.01):  # NaN fails too; resampled pixels may overshoot a little
        raise UserError(f'{name} has values from {lowest:.3g} to {highest:.3g}; floating-point pixels must lie in '
                        '[-1, 1]')
