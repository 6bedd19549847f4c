"""Labeled grids of a crossing: one person in many motions, one motion of many people, and all of it as a video."""

from typing import Iterator

import numpy as np
import torch
from torch import Tensor

from leokit.analysis.factor_grid import Crossing
from leokit.analysis.model_sheets import spread_indices
from leokit.inference.manipulation import labeled_grid
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.visualization import contact_sheet

PAPER = 255  # of the cell in the corner
FRAMES_AT_ONCE = 16


def crossing_video(crossing: Crossing) -> Iterator[Tensor]:
    """The whole crossing as a video: a row is a person, a column a motion.

    The pictures of the people stand on the left; the driving videos, if there are any, play on top.

    Args:
        crossing (Crossing): P people in M motions.

    Yields:
        Tensor: Consecutive sheets in [-1, 1], shape (1, t, 3, sheet height, sheet width).
    """
    rows = ([] if crossing.motions.frames is None else ['driving']) + crossing.people.names
    columns = ['source'] + crossing.motions.names
    pieces = torch.arange(crossing.frames.shape[2]).split(FRAMES_AT_ONCE)
    yield from labeled_grid((from_uint8(_cells(crossing, times)) for times in pieces), rows, columns)


def crossing_sheet(crossing: Crossing, time: int = -1) -> np.ndarray:
    """The whole crossing at one time.

    Args:
        crossing (Crossing): P people in M motions.
        time (int): Which frame; the last by default.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    motions = crossing.motions
    single = crossing._replace(
        frames=crossing.frames[:, :, time][:, :, None],
        motions=motions._replace(frames=None if motions.frames is None else motions.frames[:, time][:, None]))
    return to_uint8(next(crossing_video(single)))[0, 0].permute(1, 2, 0).numpy()


def person_sheet(crossing: Crossing, person: int = 0, columns: int = 8) -> np.ndarray:
    """One person in all motions, over time; each driving video, if there is one, above its motion.

    Args:
        crossing (Crossing): P people in M motions.
        person (int): Which person.
        columns (int): Frames to show, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    motions = crossing.motions
    if motions.frames is None:
        return _over_time(crossing.frames[person], motions.names, columns)
    table = torch.stack([motions.frames, crossing.frames[person]], dim=1).flatten(0, 1)
    titles = [title for name in motions.names for title in (f'driving {name}', crossing.people.names[person])]
    return _over_time(table, titles, columns)


def motion_sheet(crossing: Crossing, motion: int = 0, columns: int = 8) -> np.ndarray:
    """All people in one motion, over time; the driving video, if there is one, on top.

    Args:
        crossing (Crossing): P people in M motions.
        motion (int): Which motion.
        columns (int): Frames to show, evenly spread.

    Returns:
        np.ndarray: uint8, shape (height, width, 3), RGB.
    """
    table, titles, motions = crossing.frames[:, motion], crossing.people.names, crossing.motions
    if motions.frames is not None:
        table = torch.cat([motions.frames[motion][None], table])
        titles = [f'driving {motions.names[motion]}', *titles]
    return _over_time(table, titles, columns)


def _over_time(table: Tensor, titles: list[str], columns: int) -> np.ndarray:
    """Frames of (K, T, 3, S, S), uint8, from left to right."""
    times = spread_indices(table.shape[1], columns)
    rows = [list(row) for row in table[:, times].permute(0, 1, 3, 4, 2).numpy()]
    return contact_sheet(rows, row_titles=titles, column_titles=[f'frame {time}' for time in times])


def _cells(crossing: Crossing, times: Tensor) -> Tensor:
    """All cells at some times, row by row, uint8 (rows * columns, t, 3, S, S)."""
    sources = to_uint8(crossing.people.images)[:, None, None].expand(-1, -1, len(times), -1, -1, -1)
    cells = torch.cat([sources, crossing.frames[:, :, times]], dim=1)
    if crossing.motions.frames is not None:
        driving = crossing.motions.frames[:, times]
        corner = torch.full_like(driving[:1], PAPER)
        cells = torch.cat([torch.cat([corner, driving])[None], cells])
    return cells.flatten(0, 1)
