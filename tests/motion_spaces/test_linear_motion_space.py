import pytest
import torch

from leokit.motion_spaces import LinearMotionSpace, relative_motion


@pytest.fixture
def space():
    torch.manual_seed(0)
    return LinearMotionSpace(32, 5)


def test_directions_are_orthonormal_and_span_the_matrix(space):
    q = space.directions()
    torch.testing.assert_close(q.t() @ q, torch.eye(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(q @ (q.t() @ space.weight), space.weight, atol=1e-4, rtol=0)


def test_directions_stay_float32_under_autocast(space):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert space.directions().dtype == torch.float32
        assert space(torch.randn(2, 32), torch.randn(2, 5)).dtype == torch.float32


def test_a_code_moves_along_its_directions(space):
    w, alpha = torch.randn(2, 32), torch.randn(2, 4, 5)
    latent = space(w, alpha)
    torch.testing.assert_close((latent - w[:, None]) @ space.directions(), alpha, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(space(w, alpha[:, 1]), latent[:, 1])
    torch.testing.assert_close(space(w, torch.zeros(2, 5)), w)


def test_relative_motion_of_the_start_is_the_source():
    source, driving = torch.randn(2, 5), torch.randn(2, 6, 5)
    moved = relative_motion(driving, driving[:, 0], source)
    torch.testing.assert_close(moved[:, 0], source)
    torch.testing.assert_close(moved[:, 3] - moved[:, 0], driving[:, 3] - driving[:, 0])


@pytest.mark.parametrize('motion_dim', [0, 5])
def test_no_direction_and_more_than_dimensions(motion_dim):
    with pytest.raises(ValueError, match='motion_dim must be from 1 to appearance_dim'):
        LinearMotionSpace(4, motion_dim)
