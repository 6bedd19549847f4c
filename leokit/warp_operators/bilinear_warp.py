"""Masked bilinear warping, the operator T of LEO before inpainting: ``mask * bilinear(feature, flow)``, zeros outside.

:func:`bilinear_sample_reference` is the definition of the sampling that the tests compare with.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from leokit.nn import identity_grid
from leokit.nn.grid import check_grid, grid_ends
from leokit.registry import WARP_OPERATORS
from leokit.warp_operators.fused_warp import can_fuse, fused_warp

KERNELS = ('auto', 'torch', 'triton')


@WARP_OPERATORS.register_module()
class BilinearWarp(nn.Module):
    """Warps feature maps by flows and masks.

    One source can be warped by many flows: with S features and S·T flows, the flows k·T to (k+1)·T - 1 warp feature k,
    without copies of the feature.

    Args:
        grid (str): ``'lia'`` (the grid of the public checkpoints), ``'exact'`` (zero flow is the identity) or
            ``'corners'`` (that of LIA-X); see :func:`leokit.nn.identity_grid`.
        kernel (str): ``'torch'`` (``grid_sample``), ``'triton'`` (one kernel, CUDA devices only, without second
            derivatives; see :mod:`leokit.warp_operators.fused_warp`) or ``'auto'``: the latter where it is faster.

    Attributes:
        maps_channels_alike (bool): Every channel is warped by the same linear map, so a matrix over the channels of
            each pixel can be applied before the warp as well as after it.
    """

    maps_channels_alike = True

    def __init__(self, grid: str = 'lia', *, kernel: str = 'auto'):
        super().__init__()
        check_grid(grid)
        if kernel not in KERNELS:
            raise ValueError(f'kernel must be one of {KERNELS}, got {kernel!r}')
        self.grid = grid
        self.kernel = kernel

    @property
    def conventions(self) -> dict[str, str]:
        """Settings that the weights depend on; saved in checkpoints."""
        return dict(grid=self.grid)

    def forward(self, feature: Tensor, flow: Tensor, mask: Tensor) -> Tensor:
        """Warp features.

        Args:
            feature (Tensor): Shape (S, C, H, W).
            flow (Tensor): Sampling offsets in normalized units, x first, shape (S*T, 2, H, W).
            mask (Tensor): Shape (S*T, 1, H, W) in [0, 1].

        Returns:
            Tensor: Shape (S*T, C, H, W), in the feature's dtype.
        """
        (sources, c, h, w), flows = feature.shape, flow.shape[0]
        if self.kernel == 'triton' or self.kernel == 'auto' and can_fuse(feature, flow):
            return fused_warp(feature, flow, mask, grid_ends(h, w, self.grid), self.grid == 'corners')
        # float32, because bfloat16 cannot resolve the pixels of a 256 x 256 image
        positions = (flow.float() + identity_grid(h, w, self.grid, flow.device)).permute(0, 2, 3, 1)  # (S*T, H, W, 2)
        frames = flows // sources
        # the T outputs of one source are sampled as one tall image, so that the source is not copied
        positions = positions.reshape(sources, frames * h, w, 2)  # (S, T*H, W, 2)
        sampled = F.grid_sample(feature.float(), positions, mode='bilinear', padding_mode='zeros',
                                align_corners=self.grid == 'corners')
        # (S, C, T*H, W) -> (S*T, C, H, W)
        sampled = sampled.reshape(sources, c, frames, h, w).transpose(1, 2).reshape(flows, c, h, w)
        return (sampled * mask).to(feature.dtype)

    def extra_repr(self) -> str:
        return f'grid={self.grid!r}'


def bilinear_sample_reference(feature: Tensor, positions: Tensor) -> Tensor:
    """Bilinear sampling with zeros outside, written out.

    Args:
        feature (Tensor): Shape (B, C, H, W).
        positions (Tensor): Normalized positions, x first, -1 and 1 at the outer pixel edges, shape (B, 2, H', W').

    Returns:
        Tensor: Shape (B, C, H', W').
    """
    b, c, h, w = feature.shape
    x = ((positions[:, 0] + 1) * w - 1) / 2
    y = ((positions[:, 1] + 1) * h - 1) / 2
    left, top = x.floor(), y.floor()
    result = 0
    for dx in (0, 1):
        for dy in (0, 1):
            column, row = left + dx, top + dy
            weight = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < w) & (row >= 0) & (row < h)
            index = row.clamp(0, h - 1).long() * w + column.clamp(0, w - 1).long()
            index = index.flatten(1)[:, None].expand(b, c, -1)
            corner = feature.flatten(2).gather(2, index).view(b, c, *x.shape[1:])
            result = result + corner * (weight * inside)[:, None]
    return result
