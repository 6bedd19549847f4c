import pytest
import torch
from torch.nn import functional as F

from leokit.nn import identity_grid


def test_exact_grid_is_the_identity_of_grid_sample():
    theta = torch.eye(2, 3)[None]
    expected = F.affine_grid(theta, (1, 1, 6, 4), align_corners=False).permute(0, 3, 1, 2)
    torch.testing.assert_close(identity_grid(6, 4, 'exact'), expected)


def test_lia_grid_runs_from_edge_to_edge_x_first():
    grid = identity_grid(3, 5, 'lia')
    torch.testing.assert_close(grid[0, 0, 1], torch.linspace(-1, 1, 5))
    torch.testing.assert_close(grid[0, 1, :, 2], torch.linspace(-1, 1, 3))


def test_unknown_grid():
    with pytest.raises(ValueError, match='edges'):
        identity_grid(4, 4, 'edges')
