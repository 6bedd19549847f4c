"""Smooth random deformation shared by all frames of a sample, together with an affine map: resampled once.

The deformation is a free-form deformation with cubic B-splines (Rueckert et al., "Nonrigid Registration Using Free-Form
Deformations", TMI 1999), with random control points as in Simard et al., "Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis", ICDAR 2003.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from leokit.datasets.transforms.affine import PairedAffine
from leokit.datasets.transforms.base import normal
from leokit.nn.face_regions import inverse_matrices, region_edges, regions_from_edges
from leokit.registry import TRANSFORMS

# Limit of the norm of a displacement's gradient. Below 1, no part of the image is folded: a matrix 1 + G with |G| < 1
# cannot be singular. Lengths change by factors between 1 - MAX_GRADIENT and 1 + MAX_GRADIENT.
MAX_GRADIENT = 0.7
INVERSE_STEPS = 12  # of the inverse map; a step reduces the error at least by MAX_GRADIENT
MEAN_SQUARE = 151 / 315  # of a cubic B-spline's values: the integral of its square


@TRANSFORMS.register_module()
class PairedElastic(PairedAffine):
    """Deform all frames of a sample smoothly by the same random displacements, after an affine map.

    Faces get other proportions, as if they were other people's. The displacement at a position of the image is the same
    in all frames, so a head that moves far changes its shape a little on the way.

    Displacements are normally distributed. Those of a sample are scaled down if their gradient would exceed
    ``MAX_GRADIENT`` somewhere: no part of the image is folded. With ``strength=0`` the transform is
    :class:`PairedAffine`. Both maps are one resampling: a second one would blur as much as the first.

    Args:
        strength (float): Standard deviation of the displacement of a pixel in x and in y, before the limit, as a
            fraction of the image size.
        cells (int): Cells of the control grid in x and in y: the displacements of pixels further apart than about a
            cell are independent.
        rotation, scale, translation, padding, probability: As of :class:`PairedAffine`.
    """

    def __init__(self, strength: float = 0.02, cells: int = 4, *, rotation: float = 5.0, scale: float = 0.05,
                 translation: float = 0.03, padding: str = 'reflection', probability: float = 1.0) -> None:
        super().__init__(rotation, scale, translation=translation, padding=padding, probability=probability)
        if not (strength >= 0 and math.isfinite(strength)) or not isinstance(cells, int) or cells < 1:
            raise ValueError(f'strength must be finite and not negative, cells an integer of at least 1, got '
                             f'{strength} and {cells}')
        self.strength, self.cells = strength, cells

    def sample_parameters(self, active: Tensor, generator: torch.Generator | None) -> Tensor:
        """Sample maps from output to input positions, in normalized coordinates (x first).

        Returns:
            Tensor: Shape (B, 2, 3 + (cells + 3)²): an affine map, and the displacements of the control points that are
            added to it, row by row.
        """
        affine = super().sample_parameters(active, generator)
        if self.strength == 0:
            return affine
        count = self.cells + 3
        # the image is 2 wide; pixels have weighted means of control points, with a smaller deviation
        deviation = 2 * self.strength / MEAN_SQUARE
        control = normal((2, count, count, len(active)), active.device, generator).mul(active) * deviation
        control = limit_gradient(rearrange(control, 'c y x b -> b c y x'), MAX_GRADIENT)
        # displaced output positions go through the affine map
        moved = torch.einsum('bij,bjyx->biyx', affine[..., :2], control)
        return torch.cat([affine, moved.flatten(2)], dim=-1)

    def apply_to(self, images: Tensor, parameters: Tensor) -> Tensor:
        """Resample images (B, 3, H, W) by the maps of :meth:`sample_parameters`."""
        if self.strength == 0:
            return super().apply_to(images, parameters)
        affine, control = self._split(parameters.to(images.dtype))
        grid = F.affine_grid(affine, list(images.shape), align_corners=False)
        rows, columns = (spline_basis((torch.arange(length, device=images.device, dtype=images.dtype) + 0.5)
                                      * (2 / length) - 1, self.cells) for length in images.shape[2:])
        displacement = rows @ control @ columns.mT  # (B, 2, H, W)
        grid = grid + rearrange(displacement, 'b c h w -> b h w c')
        return F.grid_sample(images, grid, mode='bilinear', padding_mode=self.padding, align_corners=False)

    def apply_to_regions(self, regions: Tensor, parameters: Tensor) -> Tensor:
        """Move regions (B, R, 2, 3) with the pixels: the affine map that is closest at the middles of their edges."""
        if self.strength == 0:
            return super().apply_to_regions(regions, parameters)
        affine, control = self._split(parameters)
        edges = self._output_positions(region_edges(regions).flatten(1, 2), affine, control)
        return regions_from_edges(edges.view(*regions.shape[:2], 4, 2))

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Affine maps (B, 2, 3) and displacements of control points (B, 2, G, G)."""
        count = self.cells + 3
        return parameters[..., :3], parameters[..., 3:].unflatten(-1, (count, count))

    def _output_positions(self, points: Tensor, affine: Tensor, control: Tensor) -> Tensor:
        """Where points (B, P, 2) of the input are in the output: the fixed point of a contraction."""
        inverse = inverse_matrices(affine[:, None, :, :2])  # (B, 1, 2, 2)

        def undo_affine(moved: Tensor) -> Tensor:  # a sum, which TF32 does not round
            return (inverse * (moved - affine[:, None, :, 2])[..., None, :]).sum(-1)

        positions = undo_affine(points)
        for _ in range(INVERSE_STEPS):
            # the displacement beyond the edges of the image is that of the edges
            x, y = spline_basis(positions.clamp(-1, 1), self.cells)[:, None].unbind(-2)  # (B, 1, P, G)
            displacement = ((y @ control) * x).sum(-1)  # (B, 2, P)
            positions = undo_affine(points - displacement.mT)
        return positions


def spline_basis(positions: Tensor, cells: int) -> Tensor:
    """Values of uniform cubic B-splines.

    Args:
        positions (Tensor): Positions in [-1, 1], shape (...).
        cells (int): Number of cells into which the knots divide [-1, 1].

    Returns:
        Tensor: Shape (..., cells + 3); their sum is 1.
    """
    # spline k is centered at knot k - 1; in units of a cell
    knots = torch.arange(-1, cells + 2, device=positions.device, dtype=positions.dtype)
    distance = ((positions[..., None] + 1) * (cells / 2) - knots).abs()
    return (2 - distance).clamp(min=0).pow(3) / 6 - (1 - distance).clamp(min=0).pow(3) * (2 / 3)


def limit_gradient(control: Tensor, limit: float) -> Tensor:
    """Scale displacements down where the Frobenius norm of their gradient may exceed the limit.

    The gradient of a spline is a weighted mean of the differences of neighboring control points, so the largest
    differences bound it. Knots are inserted twice, which moves the control points close to the surface and the bound
    close to the largest gradient.

    Args:
        control (Tensor): Displacements of control points in normalized coordinates, shape (B, 2, cells + 3, cells + 3).
        limit (float): Limit of the norm.

    Returns:
        Tensor: Displacements, each sample multiplied by one factor of at most 1.
    """
    cells = control.shape[-1] - 3
    fine = control
    for _ in range(2):
        fine = insert_knots(insert_knots(fine).mT).mT
    spacing = 2 / (4 * cells)
    norms = [(fine.diff(dim=dim).norm(dim=1) / spacing).amax((1, 2)) for dim in (2, 3)]
    return control * (limit / torch.hypot(*norms)).clamp(max=1)[:, None, None, None]


def insert_knots(control: Tensor) -> Tensor:
    """The control points of the same splines over cells of half the size: (..., cells + 3) -> (..., 2 * cells + 3)."""
    middles = (control[..., 1:] + control[..., :-1]) / 2
    knots = (control[..., :-2] + 6 * control[..., 1:-1] + control[..., 2:]) / 8
    return torch.cat([torch.stack([middles[..., :-1], knots], dim=-1).flatten(-2), middles[..., -1:]], dim=-1)
