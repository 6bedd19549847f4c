"""Every image of a factor grid is in its row and column."""

import numpy as np
import pytest
import torch

from leokit.analysis.factor_grid import FactorGrid, IdentityBatch, MotionBatch
from leokit.analysis.factor_grid_sheets import factor_grid_sheet, factor_grid_video, identity_sheet, motion_sheet
from leokit.utils.pixels import to_uint8

P, M, T, SIZE = 2, 3, 20, 96


@pytest.fixture(params=[False, True])
def grid(request):
    """A gray level for each cell and time; driving videos are bright."""
    cells = torch.arange(P * M * T, dtype=torch.uint8).reshape(P, M, T, 1, 1, 1).expand(P, M, T, 3, SIZE, SIZE)
    driving = (200 + torch.arange(M, dtype=torch.uint8))[:, None, None, None, None].expand(M, T, 3, SIZE, SIZE)
    sources = torch.full((P, 3, SIZE, SIZE), 150 / 127.5 - 1)
    codes = torch.zeros(P, M, T, 2)
    motions = MotionBatch(['m0', 'm1', 'm2'], codes[0], driving if request.param else None, ['a', 'b', 'c'], 25.0)
    return FactorGrid(IdentityBatch(['anna', 'bert'], sources), motions, 'relative', cells, codes, codes)


def grays(sheet):
    """Gray levels that fill a whole cell."""
    values, counts = np.unique(sheet[..., 0], return_counts=True)
    return sorted(int(value) for value, count in zip(values, counts) if count >= SIZE * SIZE and value not in (255, ))


def test_the_whole_grid(grid):
    driven = grid.motions.frames is not None
    expected = [int(grid.frames[p, m, -1, 0, 0, 0]) for p in range(P) for m in range(M)] + [150]
    expected += [200, 201, 202] if driven else []
    sheet = factor_grid_sheet(grid)
    assert grays(sheet) == sorted(expected)
    assert grays(factor_grid_sheet(grid, 3)) == sorted(
        [int(grid.frames[p, m, 3, 0, 0, 0]) for p in range(P) for m in range(M)] + expected[6:])
    assert sheet.shape[0] > (P + driven) * SIZE and sheet.shape[1] > (M + 1) * SIZE
    video = torch.cat(list(factor_grid_video(grid)), dim=1)
    assert video.shape[:3] == (1, T, 3)
    assert np.array_equal(to_uint8(video[0, -1]).permute(1, 2, 0).numpy(), sheet)


def test_one_identity_and_one_motion(grid):
    driven = grid.motions.frames is not None
    times = [0, 10, 19]  # 9.5 rounds to even
    identity = identity_sheet(grid, 1, columns=3)
    assert grays(identity) == sorted([int(grid.frames[1, m, t, 0, 0, 0]) for m in range(M) for t in times]
                                   + ([200, 201, 202] if driven else []))
    motion = motion_sheet(grid, 2, columns=3)
    assert grays(motion) == sorted([int(grid.frames[p, 2, t, 0, 0, 0]) for p in range(P) for t in times]
                                   + ([202] if driven else []))
    assert identity.dtype == motion.dtype == np.uint8
