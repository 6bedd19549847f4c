"""The identity grid of a warp: normalized positions of the output's pixels."""

import torch
from torch import Tensor

GRIDS = ('lia', 'exact', 'corners')


def check_grid(convention: str) -> None:
    """Raise ValueError unless the convention is one of ``GRIDS``."""
    if convention not in GRIDS:
        raise ValueError(f'grid must be one of {GRIDS}, got {convention!r}')


def grid_ends(height: int, width: int, convention: str) -> tuple[float, float]:
    """Largest coordinates x and y of :func:`identity_grid`; the smallest are their negatives."""
    check_grid(convention)
    # the centers of n pixels lie at -1 + 1/n, ..., 1 - 1/n
    return tuple(1.0 - 1.0 / length if convention == 'exact' else 1.0 for length in (width, height))


def identity_grid(height: int, width: int, convention: str, device: torch.device | str | None = None) -> Tensor:
    """Normalized sampling positions (x first) of zero flow, shape (1, 2, H, W), float32.

    ``'lia'`` is the grid of the public LIA checkpoints: ``linspace(-1, 1)``, as if -1 and 1 were the centers of the
    corner pixels, although the sampler takes them as the outer pixel edges. With ``'exact'``, the geometrically exact
    grid, zero flow returns the input; so does ``'corners'``, the grid of LIA-X, for a sampler that takes -1 and 1 as
    the centers of the corner pixels (``align_corners=True``).
    """
    end_x, end_y = grid_ends(height, width, convention)
    x = torch.linspace(-end_x, end_x, width, device=device)
    y = torch.linspace(-end_y, end_y, height, device=device)
    return torch.stack(torch.meshgrid(x, y, indexing='xy'))[None]
