"""Put animated faces back into their image or video."""

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from leokit.croppers import CropRegion, Paster
from leokit.croppers.paste import FEATHER
from leokit.inference.face_cropper import CroppedImage
from leokit.inference.source_details import MAX_SIZE
from leokit.utils.pixels import to_uint8

MAX_SIDE = 1920  # of pasted videos: what every player shows
PASTED_FRAMES = 8  # at a time, since they are large


def paste_into_image(chunks: Iterable[Tensor], source: CroppedImage, *, max_side: int | None = MAX_SIDE,
                     feather: float = FEATHER) -> Iterator[Tensor]:
    """Paste the animated faces of an image into it.

    Args:
        chunks (Iterable[Tensor]): Consecutive frames of the F faces in [-1, 1], shape (F, t, 3, S, S), of any
            resolution S.
        source (CroppedImage): The image.
        max_side (int, optional): Limit of the longer side; larger images are shrunk.
        feather (float): See :class:`~leokit.croppers.Paster`.

    Yields:
        Tensor: Consecutive uint8 frames, shape (1, t, 3, H, W).
    """
    canvas = limit_side(source.pixels, max_side)
    pasters: list[Paster] = []
    for faces in chunks:
        pasters = pasters or pasters_of(source, canvas, feather, faces.shape[-1])
        for piece in faces.split(PASTED_FRAMES, dim=1):
            rows = rearrange(to_uint8(piece), 'f t c h w -> t f h w c').cpu().numpy()
            pasted = []
            for row in rows:
                frame = canvas
                for paster, face in zip(pasters, row):
                    frame = paster.paste(frame, face)
                pasted.append(frame)
            yield as_chunk(np.stack(pasted))


def image_paster(source: CroppedImage, *, max_side: int | None = MAX_SIDE,
                 feather: float = FEATHER) -> Callable[[np.ndarray], np.ndarray]:
    """A function that pastes one animated face, uint8 (S, S, 3), into its image; as :func:`paste_into_image`."""
    canvas = limit_side(source.pixels, max_side)
    paster, = pasters_of(source, canvas, feather, source.images.shape[-1])
    return lambda face: paster.paste(canvas, face)


def pasters_of(source: CroppedImage, canvas: np.ndarray, feather: float, size: int) -> list[Paster]:
    """A paster for each face of an image, whose pixels are resized to those of a canvas, for frames of a size."""
    return [Paster(scaled_region(region, source.pixels.shape, canvas.shape), canvas.shape[:2], size, feather=feather)
            for region in source.regions]


def detailed_faces(source: CroppedImage, max_side: int | None = MAX_SIDE) -> Tensor:
    """The faces of an image at the resolution at which the largest is pasted, for ``details`` of an animation.

    No less than the resolution of the model, which blurs smaller faces, too.

    Args:
        source (CroppedImage): The image.
        max_side (int, optional): See :func:`paste_into_image`.

    Returns:
        Tensor: Shape (F, 3, R, R), float32 in [-1, 1].
    """
    canvas = limit_side(source.pixels, max_side)
    regions = [scaled_region(region, source.pixels.shape, canvas.shape) for region in source.regions]
    side = max(max(region.width, region.height) for region in regions)
    # that of the paste, which resizes others: pixels of a source that does not move stay as they are
    return source.faces(max(source.images.shape[-1], min(MAX_SIZE, round(side))))


def as_chunk(frames: np.ndarray) -> Tensor:
    """uint8 frames (t, H, W, 3) as a chunk (1, t, 3, H, W)."""
    return rearrange(torch.from_numpy(frames), 't h w c -> 1 t c h w')


def limit_side(pixels: np.ndarray, max_side: int | None) -> np.ndarray:
    """An image (H, W, 3), shrunk to even sides of at most ``max_side`` pixels if it is larger."""
    size = limited_size(pixels.shape[:2], max_side)
    return pixels if size == pixels.shape[:2] else cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)


def limited_size(frame_size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Height and width after :func:`limit_side`."""
    height, width = frame_size
    if max_side is None or max(height, width) <= max_side:
        return height, width
    factor = max_side / max(height, width)
    return max(2, 2 * round(height * factor / 2)), max(2, 2 * round(width * factor / 2))


def scaled_region(region: CropRegion, shape: tuple[int, ...], new_shape: tuple[int, ...]) -> CropRegion:
    """A region of a frame of shape (H, W, ...) in the resized frame."""
    return region.scaled(new_shape[1] / shape[1], new_shape[0] / shape[0])
