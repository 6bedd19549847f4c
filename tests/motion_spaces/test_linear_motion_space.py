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


def test_the_default_is_the_space_of_lia_and_the_matrix_is_normal():
    torch.manual_seed(0)
    weight = LinearMotionSpace().weight
    assert weight.shape == (512, 20)
    assert abs(weight.mean()) < 0.05 and abs(weight.std() - 1) < 0.05 and weight.min() < -3


def test_the_offset_of_the_public_implementation():
    """1e-8 is added before the QR, which decides the directions of a matrix of zeros."""
    space = LinearMotionSpace(3, 1)
    with torch.no_grad():
        space.weight.zero_()
    torch.testing.assert_close(space.directions().abs(), torch.full((3, 1), 3 ** -0.5))
    with torch.no_grad():
        space.weight.copy_(torch.tensor([[1e-8], [0], [0]]))
    torch.testing.assert_close(space.directions().abs(), torch.tensor([[2.0], [1], [1]]) / 6 ** 0.5)


def test_frozen_directions_do_not_follow_the_matrix(space):
    w, alpha = torch.randn(2, 32), torch.randn(2, 5)
    frozen, before = space.frozen(), space(w, alpha)
    with torch.no_grad():
        space.weight.mul_(torch.arange(1.0, 33)[:, None])
    torch.testing.assert_close(frozen(w, alpha), before)
    assert not torch.allclose(space(w, alpha), before, atol=1e-3)


@pytest.mark.parametrize('motion_dim', [0, 5])
def test_there_are_no_more_directions_than_dimensions(motion_dim):
    directions = LinearMotionSpace(4, 4).directions()
    torch.testing.assert_close(directions.t() @ directions, torch.eye(4))
    with pytest.raises(ValueError, match=rf'from 1 to appearance_dim \(4\), got {motion_dim}'):
        LinearMotionSpace(4, motion_dim)


def test_appearances_of_another_width():
    with pytest.raises(ValueError, match='appearance must have shape'):
        LinearMotionSpace(4, 2)(torch.zeros(1, 1), torch.zeros(1, 2))


def test_relative_motion_is_an_offset_of_every_sequence():
    start, source = torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[10.0, 20], [30, 40]])
    driving = torch.arange(12.0).reshape(2, 3, 2)
    offset = torch.tensor([[9.0, 18], [27, 36]])
    assert torch.equal(relative_motion(driving[:, 0], start, source), driving[:, 0] + offset)
    moved = relative_motion(driving, start, source)
    assert moved.shape == driving.shape
    for row in range(2):
        for frame in range(3):
            assert torch.equal(moved[row, frame], driving[row, frame] + offset[row])
