"""Sheets and videos of a factor grid: one identity in all motions, all identities in one motion, or everything."""

from typing import Iterator

import numpy as np
import torch
from einops import rearrange, repeat
from torch import Tensor

from leokit.analysis.factor_grid import FactorGrid
from leokit.utils.indices import evenly_spaced_indices
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.visualization import contact_sheet, labeled_grid
from leokit.visualization.contact_sheets import BACKGROUND

CHUNK_SIZE = 16  # frames of the grid at a time


def factor_grid_video(grid: FactorGrid) -> Iterator[Tensor]:
    """The whole grid as a video: a row per identity, a column per motion.

    The first column shows the source images, the first row the driving videos, if there are any.

    Yields:
        Tensor: Consecutive sheets in [-1, 1], shape (1, t, 3, sheet height, sheet width).
    """
    rows = ([] if grid.motions.frames is None else ['driving']) + grid.identities.names
    columns = ['source'] + grid.motions.names
    times = torch.arange(grid.frames.shape[2]).split(CHUNK_SIZE)
    yield from labeled_grid((from_uint8(_cells(grid, part)) for part in times), rows, columns)


def factor_grid_sheet(grid: FactorGrid, time: int = -1) -> np.ndarray:
    """The whole grid at one frame, by default the last: uint8 RGB (height, width, 3)."""
    motions = grid.motions
    single = grid._replace(
        frames=grid.frames[:, :, time][:, :, None],  # (P, M, 1, 3, S, S)
        motions=motions._replace(frames=None if motions.frames is None else motions.frames[:, time][:, None]))
    return rearrange(to_uint8(next(factor_grid_video(single))), '1 1 c h w -> h w c').numpy()


def identity_sheet(grid: FactorGrid, identity: int = 0, columns: int = 8) -> np.ndarray:
    """One identity in all motions over time, each below its driving video, if there is one.

    Args:
        grid (FactorGrid): The grid.
        identity (int): Index of the identity.
        columns (int): Frames to show, evenly spaced.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    motions = grid.motions
    if motions.frames is None:
        return _sheet_over_time(grid.frames[identity], motions.names, columns)
    rows = rearrange([motions.frames, grid.frames[identity]], 'pair m t c h w -> (m pair) t c h w')
    titles = [title for name in motions.names for title in (f'driving {name}', grid.identities.names[identity])]
    return _sheet_over_time(rows, titles, columns)


def motion_sheet(grid: FactorGrid, motion: int = 0, columns: int = 8) -> np.ndarray:
    """All identities in one motion over time, below the driving video, if there is one.

    Args:
        grid (FactorGrid): The grid.
        motion (int): Index of the motion.
        columns (int): Frames to show, evenly spaced.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    rows, titles, motions = grid.frames[:, motion], grid.identities.names, grid.motions
    if motions.frames is not None:
        rows = torch.cat([motions.frames[motion][None], rows])
        titles = [f'driving {motions.names[motion]}', *titles]
    return _sheet_over_time(rows, titles, columns)


def _sheet_over_time(videos: Tensor, titles: list[str], columns: int) -> np.ndarray:
    """Rows of evenly spaced frames of videos, uint8 (K, T, 3, S, S)."""
    times = evenly_spaced_indices(videos.shape[1], columns)
    frames = rearrange(videos[:, times], 'k t c h w -> k t h w c').numpy()
    return contact_sheet(frames, row_titles=titles, column_titles=[f'frame {time}' for time in times])


def _cells(grid: FactorGrid, times: Tensor) -> Tensor:
    """All cells at some times, row by row, uint8 (rows * columns, t, 3, S, S)."""
    sources = repeat(to_uint8(grid.identities.images), 'p c h w -> p 1 t c h w', t=len(times))
    cells = torch.cat([sources, grid.frames[:, :, times]], dim=1)  # (P, 1 + M, t, 3, S, S)
    if grid.motions.frames is not None:
        driving = grid.motions.frames[:, times]  # (M, t, 3, S, S)
        corner = torch.full_like(driving[:1], BACKGROUND)
        cells = torch.cat([torch.cat([corner, driving])[None], cells])
    return rearrange(cells, 'rows columns t c h w -> (rows columns) t c h w')
