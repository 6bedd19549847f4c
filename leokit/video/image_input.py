"""Images of callers (paths, PIL images, arrays, tensors) as model inputs.

They are treated like training data (:func:`~leokit.video.resize.fit_frames`): ``crop`` is that of the model's training,
``Animator.crop``.
"""

from pathlib import Path
from typing import BinaryIO, Sequence, TypeAlias

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from leokit.utils import UserError
from leokit.utils.pixels import from_uint8
from leokit.video.images import TRANSPARENT_BACKGROUND, read_image, to_rgb
from leokit.video.resize import fit_to_tensor
from leokit.video.video_input import check_pixel_range, tensor_to_frames

# A path; the content of a file, or an open binary file; a PIL image; an array (H, W) or (H, W, 1|3|4) of uint8 or
# uint16; a tensor (3, H, W), uint8 or in [-1, 1].
ImageInput: TypeAlias = str | Path | bytes | BinaryIO | Image.Image | np.ndarray | Tensor


def read_images(images: ImageInput | Sequence[ImageInput], size: int, *, crop: str = 'center',
                background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> Tensor:
    """Prepare one image or several.

    Args:
        images (ImageInput | Sequence[ImageInput]): Images of any mode and size, of one kind or mixed; a tensor may
            also be a batch (B, 3, H, W).
        size (int): Resolution S of the model.
        crop (str): See :func:`~leokit.video.resize.fit_frames`.
        background (tuple[int, int, int]): Color behind transparent pixels.

    Returns:
        Tensor: float32 in [-1, 1], shape (B, 3, S, S), on the CPU.
    """
    return torch.stack([_prepare(image, size, f'number {index}', crop, background)
                        for index, image in enumerate(image_list(images))])


def image_list(images: ImageInput | Sequence[ImageInput]) -> list[ImageInput]:
    """The images, at least one, in a list."""
    if isinstance(images, Tensor):
        images = images if images.ndim == 4 else [images]
    elif _is_file(images) or isinstance(images, (Image.Image, np.ndarray)):
        images = [images]
    images = list(images)
    if not images:
        raise UserError('there is no image to read; pass at least one')
    return images


def _prepare(image: ImageInput, size: int, name: str, crop: str, background: tuple[int, int, int]) -> Tensor:
    """One image as float (3, S, S)."""
    if isinstance(image, Tensor) and image.is_floating_point() and image.shape == (3, size, size):
        check_pixel_range(image, f'image {name}')
        return image.float().cpu()  # a model's own output fits as it is and is not rounded to 8 bits
    return from_uint8(fit_to_tensor(image_pixels(image, name, background=background)[None], size, crop))[0]


def image_pixels(image: ImageInput, name: str, *,
                 background: tuple[int, int, int] = TRANSPARENT_BACKGROUND) -> np.ndarray:
    """An image of any kind as uint8 RGB in its own resolution, shape (H, W, 3); ``name`` is used in error messages."""
    if _is_file(image):
        return read_image(image, background=background)
    if isinstance(image, Image.Image):
        return to_rgb(ImageOps.exif_transpose(image), name, file_format=image.format, background=background)
    if isinstance(image, np.ndarray):
        return _array_to_rgb(image, name, background)
    if isinstance(image, Tensor):
        return tensor_to_frames(image[None] if image.ndim == 3 else image, f'image {name}')[0]
    raise UserError(f'image {name} is a {type(image).__name__}; pass a path, bytes, a PIL image, an array or a tensor')


def _is_file(image: object) -> bool:
    return isinstance(image, (str, Path, bytes, bytearray, memoryview)) or hasattr(image, 'read')


def _array_to_rgb(array: np.ndarray, name: str, background: tuple[int, int, int]) -> np.ndarray:
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    valid_shape = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (3, 4))
    if not valid_shape or array.dtype not in (np.uint8, np.uint16) or array.size == 0:
        raise UserError(f'image {name} is an array of {array.dtype} with shape {array.shape}; pass uint8 or uint16 '
                        'of shape (H, W), (H, W, 3) or (H, W, 4), or a float tensor (3, H, W) in [-1, 1]')
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    return to_rgb(Image.fromarray(np.ascontiguousarray(array)), name, background=background)
