"""Regions of a face: boxes in the image as affine maps, which move with the pixels under geometric transforms.

The map of a box, a 2 x 3 matrix, takes the square [-1, 1]² to the box, in normalized image coordinates (x first, -1 and
1 at the edges of the image, ``align_corners=False``). A rotation or a flip of the image turns the box into a
parallelogram, whose map is the product of the two maps. A region that was not found is NaN.

Products are written as sums, so that neither autocast nor TF32 rounds positions.
"""

from collections.abc import Iterable

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional as F

REGION_KEYS = ('regions', 'source_regions')  # of a batch: regions of the driving and of the source frame
FACE_REGIONS = ('mouth', 'right_eye', 'left_eye', 'face')  # right and left of the person who is seen
REGION_MARGIN = 0.15  # around the landmarks of a region, in eye distances
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
    inverse = inverse_matrices(transform[:, None, :, :2])  # (B, 1, 2, 2)
    axes, centers = maps[..., :2], maps[..., 2:] - transform[:, None, :, 2:]
    return torch.cat([_product(inverse, axes), _product(inverse, centers)], dim=-1)


def region_edges(maps: Tensor) -> Tensor:
    """Middles of the left, right, upper and lower edges of regions (..., 2, 3): positions (..., 4, 2)."""
    x, y, center = maps.unbind(-1)
    return torch.stack([center - x, center + x, center - y, center + y], dim=-2)


def regions_from_edges(edges: Tensor) -> Tensor:
    """The regions (..., 2, 3) whose edges have middles closest to (..., 4, 2), in the order of :func:`region_edges`."""
    left, right, upper, lower = edges.unbind(-2)
    return torch.stack([(right - left) / 2, (lower - upper) / 2, edges.mean(-2)], dim=-1)


def region_masks(maps: Tensor, height: int, width: int) -> Tensor:
    """Masks of the pixels whose centers are in the regions.

    Args:
        maps (Tensor): Shape (B, R, 2, 3).
        height (int): Rows of the image.
        width (int): Columns of the image.

    Returns:
        Tensor: Bool, shape (B, R, H, W); all False where a region was not found or lies outside the image.
    """
    maps = maps.float()
    offset = torch.stack(_pixel_centers(height, width, maps.device), dim=-1) - maps[..., None, None, :, 2]
    inside = _positions(inverse_matrices(maps[..., :2]), *offset.unbind(-1))  # (B, R, H, W, 2)
    return (inside.abs() <= 1).all(dim=-1)  # NaN is not <= 1


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
    grid = _positions(axes, *_pixel_centers(size, size, maps.device)) + maps[..., None, None, :, 2]
    # the grids of an image below each other, so that images need not be repeated
    crops = F.grid_sample(images.float(), rearrange(grid, 'b r h w xy -> b (r h) w xy'), padding_mode='border',
                          align_corners=False)
    crops = rearrange(crops, 'b c (r h) w -> b r c h w', r=regions) * found[..., None, None, None]
    return crops.flatten(0, 1)


def _pixel_centers(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Normalized x and y of the pixel centers, each (H, W)."""
    x, y = ((torch.arange(count, device=device) + 0.5) * 2 / count - 1
            for count in (width, height))
    return x.expand(height, width), y[:, None].expand(height, width)


def _positions(matrices: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Products of matrices (B, R, 2, 2) and points x, y ([B, R,] H, W): (B, R, H, W, 2)."""
    columns = matrices[..., None, None, :, :]
    return columns[..., 0] * x[..., None] + columns[..., 1] * y[..., None]


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Matrix product (..., 2, n) of (..., 2, 2) and (..., 2, n)."""
    return first[..., :1] * second[..., :1, :] + first[..., 1:] * second[..., 1:, :]


def inverse_matrices(matrices: Tensor) -> Tensor:
    """Inverse of 2 x 2 matrices (..., 2, 2), not finite where there is none: no check, for which a GPU would wait."""
    a, b, c, d = matrices[..., 0, 0], matrices[..., 0, 1], matrices[..., 1, 0], matrices[..., 1, 1]
    adjugate = torch.stack([torch.stack([d, -b], dim=-1), torch.stack([-c, a], dim=-1)], dim=-2)
    return adjugate / (a * d - b * c)[..., None, None]
