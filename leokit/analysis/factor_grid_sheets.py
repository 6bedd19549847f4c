"""Labeled grids of a grid: one person in many motions, one motion of many people, and all of it as a video."""

from typing import Iterator

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.analysis.model_sheets import spread_indices
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.visualization import contact_sheet, labeled_grid

BACKGROUND = 255  # of the cell in the corner
FRAMES_AT_ONCE = 16


def factor_grid_video(grid: FactorGrid) -> Iterator[Tensor]:
    """The whole grid as a video: a row is a person, a column a motion.

    The pictures of the people stand on the left; the driving videos, if there are any, play on top.

    Args:
        grid (FactorGrid): P people in M motions.

    Yields:
        Tensor: Consecutive sheets in [-1, 1], shape (1, t, 3, sheet height, sheet width).
    """
    rows = ([] if grid.motions.frames is None else ['driving']) + grid.identities.names
    columns = ['source'] + grid.motions.names
    pieces = torch.arange(grid.frames.shape[2]).split(FRAMES_AT_ONCE)
    yield from labeled_grid((from_uint8(_cells(grid, times)) for times in pieces), rows, columns)


def factor_grid_sheet(grid: FactorGrid, time: int = -1) -> np.ndarray:
    """The whole grid at one time.

    Args:
        grid (FactorGrid): P people in M motions.
        time (int): Which frame; the last by default.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    motions = grid.motions
    single = grid._replace(
        frames=grid.frames[:, :, time][:, :, None],
        motions=motions._replace(frames=None if motions.frames is None else motions.frames[:, time][:, None]))
    return to_uint8(next(factor_grid_video(single)))[0, 0].permute(1, 2, 0).numpy()


def identity_sheet(grid: FactorGrid, person: int = 0, columns: int = 8) -> np.ndarray:
    """One person in all motions, over time; each driving video, if there is one, above its motion.

    Args:
        grid (FactorGrid): P people in M motions.
        person (int): Which person.
        columns (int): Frames to show, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    motions = grid.motions
    if motions.frames is None:
        return _over_time(grid.frames[person], motions.names, columns)
    table = torch.stack([motions.frames, grid.frames[person]], dim=1).flatten(0, 1)
    titles = [title for name in motions.names for title in (f'driving {name}', grid.identities.names[person])]
    return _over_time(table, titles, columns)


def motion_sheet(grid: FactorGrid, motion: int = 0, columns: int = 8) -> np.ndarray:
    """All people in one motion, over time; the driving video, if there is one, on top.

    Args:
        grid (FactorGrid): P people in M motions.
        motion (int): Which motion.
        columns (int): Frames to show, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    table, titles, motions = grid.frames[:, motion], grid.identities.names, grid.motions
    if motions.frames is not None:
        table = torch.cat([motions.frames[motion][None], table])
        titles = [f'driving {motions.names[motion]}', *titles]
    return _over_time(table, titles, columns)


def _over_time(table: Tensor, titles: list[str], columns: int) -> np.ndarray:
    """Frames of (K, T, 3, S, S), uint8, from left to right."""
    times = spread_indices(table.shape[1], columns)
    rows = [list(row) for row in table[:, times].permute(0, 1, 3, 4, 2).numpy()]
    return contact_sheet(rows, row_titles=titles, column_titles=[f'frame {time}' for time in times])


def _cells(grid: FactorGrid, times: Tensor) -> Tensor:
    """All cells at some times, row by row, uint8 (rows * columns, t, 3, S, S)."""
    sources = to_uint8(grid.identities.images)[:, None, None].expand(-1, -1, len(times), -1, -1, -1)
    cells = torch.cat([sources, grid.frames[:, :, times]], dim=1)
    if grid.motions.frames is not None:
        driving = grid.motions.frames[:, times]
        corner = torch.full_like(driving[:1], BACKGROUND)
        cells = torch.cat([torch.cat([corner, driving])[None], cells])
    return cells.flatten(0, 1)
