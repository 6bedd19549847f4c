"""Regions of a face: boxes in the image as affine maps, which move with the pixels under geometric transforms.

The map of a box, a 2 x 3 matrix, takes the square [-1, 1]² to the box, in normalized image coordinates (x first, -1 and
1 at the edges of the image, ``align_corners=False``). A rotation or a flip of the image turns the box into a
parallelogram, whose map is the product of the two maps. A region that was not found is NaN.
"""

from collections.abc import Iterable

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

FACE_REGIONS = ('mouth', 'right_eye', 'left_eye', 'face')  # right and left of the person who is seen
# parts that losses weight: the two eyes are one
FACE_PARTS = dict(mouth=('mouth',), eyes=('right_eye', 'left_eye'), face=('face',))


def region_rows(part: str) -> list[int]:
    """Rows of a part, a key of ``FACE_PARTS``, in tensors of all regions."""
    if part not in FACE_PARTS:
        raise ValueError(f'unknown part of a face {part!r}; the parts are {", ".join(FACE_PARTS)}')
    return [FACE_REGIONS.index(name) for name in FACE_PARTS[part]]


def check_parts(parts: Iterable[str], argument: str) -> None:
    """Raise a ``ValueError`` that names the argument if it has no parts or unknown ones."""
    if not parts or not set(parts) <= set(FACE_PARTS):
        raise ValueError(f'{argument} must name parts of a face ({", ".join(FACE_PARTS)}), got {parts!r}')


def boxes_to_maps(boxes: Tensor) -> Tensor:
    """Maps (..., 2, 3) of boxes (..., 4): left, top, right, bottom as fractions of the image's width and height."""
    low, high = boxes[..., :2] * 2 - 1, boxes[..., 2:] * 2 - 1
    maps = torch.cat([torch.diag_embed((high - low) / 2), ((low + high) / 2)[..., None]], dim=-1)
    return maps.masked_fill(boxes.isnan().any(-1)[..., None, None], torch.nan)


def move_regions(maps: Tensor, transform: Tensor) -> Tensor:
    """Regions of resampled images.

    Args:
        maps (Tensor): Regions of the images, shape (B, R, 2, 3).
        transform (Tensor): How the images were resampled: maps from output to input positions, as for
            ``torch.nn.functional.affine_grid``, shape (B, 2, 3).

    Returns:
        Tensor: Regions of the output, shape (B, R, 2, 3).
    """
    # input = P output + s, so output = P^-1 (input - s)
    inverse = _inverse(transform[:, None, :, :2])  # (B, 1, 2, 2)
    axes, centers = maps[..., :2], maps[..., 2:] - transform[:, None, :, 2:]
    return torch.cat([inverse @ axes, inverse @ centers], dim=-1)


def region_masks(maps: Tensor, height: int, width: int) -> Tensor:
    """Masks of the pixels whose centers are in the regions.

    Args:
        maps (Tensor): Shape (B, R, 2, 3).
        height (int): Rows of the image.
        width (int): Columns of the image.

    Returns:
        Tensor: Bool, shape (B, R, H, W); all False where a region was not found or lies outside the image.
    """
    columns, rows = (((torch.arange(count, device=maps.device, dtype=torch.float32) + 0.5) * 2 / count - 1)
                     for count in (width, height))
    pixels = torch.stack([columns.expand(height, width), rows[:, None].expand(height, width)])  # (2, H, W)
    maps = maps.float()
    inside = _inverse(maps[..., :2]) @ (rearrange(pixels, 'xy h w -> xy (h w)') - maps[..., 2:])  # (B, R, 2, H W)
    # NaN is not <= 1
    return rearrange((inside.abs() <= 1).all(dim=-2), 'b r (h w) -> b r h w', h=height)


def region_crops(images: Tensor, maps: Tensor, size: int) -> Tensor:
    """Crops of the regions, resampled to squares of one size by bilinear interpolation.

    The longer side of a region fills the square; the shorter one is extended, so that the aspect ratio is kept.

    Args:
        images (Tensor): Shape (B, C, H, W) with H = W.
        maps (Tensor): Shape (B, R, 2, 3).
        size (int): Side S of the crops.

    Returns:
        Tensor: Shape (B * R, C, S, S), float32; zero, with no gradient, where a region was not found.
    """
    maps = maps.float()
    found = maps.isfinite().all(dim=(-2, -1))  # (B, R)
    maps = torch.where(found[..., None, None], maps, 0.0)
    lengths = maps[..., :2].norm(dim=-2, keepdim=True)  # (B, R, 1, 2), half the sides
    axes = maps[..., :2] * (lengths.amax(-1, keepdim=True) / lengths.clamp(min=torch.finfo(torch.float32).eps))
    regions = maps.shape[1]
    grid = F.affine_grid(torch.cat([axes, maps[..., 2:]], dim=-1).flatten(0, 1), [len(images) * regions, 1, size, size],
                         align_corners=False)
    # the grids of an image below each other, so that images need not be repeated
    crops = F.grid_sample(images.float(), rearrange(grid, '(b r) h w xy -> b (r h) w xy', r=regions),
                          padding_mode='border', align_corners=False)
    crops = rearrange(crops, 'b c (r h) w -> b r c h w', r=regions) * found[..., None, None, None]
    return crops.flatten(0, 1)


def _inverse(matrices: Tensor) -> Tensor:
    """Inverse of 2 x 2 matrices (..., 2, 2), not finite where there is none: no check, for which a GPU would wait."""
    a, b, c, d = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 0], matrices[..., 1, 1]
    adjugate = torch.stack([torch.stack([d, -b], dim=-1), torch.stack([-c, a], dim=-1)], dim=-2)
    return adjugate / (a * d - b * c)[..., None, None]
