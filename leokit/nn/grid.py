"""The flow grid: normalized positions of an output's pixels."""

import torch
from torch import Tensor

GRIDS = ('lia', 'exact')


def identity_grid(height: int, width: int, convention: str, device: torch.device | str | None = None) -> Tensor:
    """Normalized sampling positions (x first) that stand for "no motion".

    ``'lia'`` is what the public LIA checkpoints were trained with: ``linspace(-1, 1)``,
    as if the corners were pixel centers, although the sampler takes -1 and 1 as the
    outer pixel edges. ``'exact'`` is the geometrically exact grid, with which zero flow
    returns the input.

    Args:
        height (int): Rows.
        width (int): Columns.
        convention (str): ``'lia'`` or ``'exact'``.
        device (torch.device | str, optional): Where the grid is made.

    Returns:
        Tensor: Shape (1, 2, H, W), float32.

    Raises:
        ValueError: If the convention is unknown.
    """
    if convention not in GRIDS:
        raise ValueError(f'grid must be one of {GRIDS}, got {convention!r}')
    # the centers of n pixels lie at -1 + 1/n, ..., 1 - 1/n
    ends = [1.0 - 1.0 / side if convention == 'exact' else 1.0 for side in (width, height)]
    x = torch.linspace(-ends[0], ends[0], width, device=device)
    y = torch.linspace(-ends[1], ends[1], height, device=device)
    return torch.stack(torch.meshgrid(x, y, indexing='xy'))[None]
