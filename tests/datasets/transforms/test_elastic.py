import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline

from leokit.datasets.transforms import PairedAffine, PairedElastic
from leokit.datasets.transforms.elastic import MAX_GRADIENT, insert_knots, limit_gradient, spline_basis
from leokit.nn.face_regions import boxes_to_maps

STILL = dict(rotation=0, scale=0, translation=0)
AFFINE = dict(rotation=20.0, scale=0.2, translation=0.05)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def positions_image(count, size):
    """Images whose first two channels are the normalized x and y of each pixel: a transform shows what it samples."""
    axis = (torch.arange(size, dtype=torch.float64) + 0.5) / size * 2 - 1
    x, y = axis.expand(size, size), axis[:, None].expand(size, size)
    return torch.stack([x, y, torch.zeros_like(x)]).repeat(count, 1, 1, 1)


def sampled_positions(transform, count=64, size=48, seed=0):
    """Input positions x and y of all output pixels, float64 (B, 2, H, W)."""
    return transform(dict(a=positions_image(count, size)), seeded(seed))['a'][:, :2]


def scipy_basis(positions, cells):
    width = 2 / cells
    knots = -1 + width * np.arange(-3, cells + 4)
    return BSpline.design_matrix(positions, knots, 3).toarray()


@pytest.mark.parametrize('cells', [1, 2, 5])
def test_basis_is_that_of_scipy(cells):
    positions = torch.rand(50, dtype=torch.float64, generator=seeded()) * 2 - 1
    expected = torch.from_numpy(scipy_basis(positions.numpy(), cells))
    torch.testing.assert_close(spline_basis(positions, cells), expected)


def test_inserting_knots_does_not_change_the_spline():
    control = torch.randn(3, 8, dtype=torch.float64, generator=seeded())  # 5 cells
    fine = insert_knots(control)
    assert fine.shape == (3, 13)
    positions = np.linspace(-1, 0.999, 41)
    coarse = control.numpy() @ scipy_basis(positions, 5).T
    np.testing.assert_allclose(fine.numpy() @ scipy_basis(positions, 10).T, coarse)


def test_strength_is_the_deviation_of_the_displacement():
    transform = PairedElastic(0.01, 4, **STILL)
    displacement = (sampled_positions(transform, 3000, 16) - positions_image(1, 16)[:, :2])[..., 2:-2, 2:-2]
    for axis in (0, 1):
        assert displacement[:, axis].std() / 2 == pytest.approx(0.01, rel=0.02)  # of an image that is 2 wide
    assert displacement.mean().abs() < 1e-3
    x, y = displacement[:, 0].flatten(), displacement[:, 1].flatten()
    assert (x * y).mean().abs() < 0.1 * x.square().mean()


def test_no_part_of_the_image_is_folded():
    """The determinant of the Jacobian is positive everywhere, at the largest strength, for affine maps as well."""
    for cells, affine in ((1, STILL), (3, STILL), (4, AFFINE), (7, STILL)):
        transform = PairedElastic(1.0, cells, **affine)
        parameters = transform.sample_parameters(torch.ones(64, dtype=torch.bool), seeded()).double()
        control = parameters[..., 3:].unflatten(-1, (cells + 3, cells + 3)).numpy()
        step = 1e-4
        axis = np.linspace(-1, 1 - 2 * step, 61)
        here, there = scipy_basis(axis, cells), scipy_basis(axis + step, cells)
        jacobian = parameters[..., :2].numpy()[..., None, None] + np.stack(
            [here @ control @ ((there - here) / step).T, ((there - here) / step) @ control @ here.T], axis=2)
        determinant = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
        scale = np.linalg.det(parameters[..., :2].numpy())[:, None, None]
        assert (determinant / scale).min() > (1 - MAX_GRADIENT)**2
        assert (determinant / scale).min() < 0.6  # the limit is not far below what it allows


def test_only_large_gradients_are_limited():
    slope = torch.arange(7.0)[None, :].expand(7, 7)  # 4 cells, each 0.5 wide: a gradient of 2 in x
    control = torch.stack([torch.stack([slope, torch.zeros(7, 7)]), torch.stack([slope, slope.T]) * 0.1])
    limited = limit_gradient(control, 0.5)
    torch.testing.assert_close(limited[0], control[0] / 4)
    assert torch.equal(limited[1], control[1])  # norm 0.28


def test_the_affine_map_applies_to_displaced_positions():
    options = dict(strength=0.02, cells=4, padding='border')
    moved = sampled_positions(PairedElastic(**options, **AFFINE))
    displaced = sampled_positions(PairedElastic(**options, **STILL))
    generator = seeded()
    torch.rand(64, generator=generator)  # the choice of the samples
    affine = PairedAffine(**AFFINE).sample_parameters(torch.ones(64, dtype=torch.bool), generator).double()
    expected = torch.einsum('bij,bjyx->biyx', affine[..., :2], displaced) + affine[..., 2:, None]
    inside = (expected.abs() < 0.9).all(1) & (displaced.abs() < 0.9).all(1)
    assert inside.float().mean() > 0.6
    torch.testing.assert_close(moved.movedim(1, -1)[inside], expected.movedim(1, -1)[inside], atol=1e-6, rtol=0)


def test_without_strength_it_is_the_affine_transform():
    image = torch.rand(4, 3, 16, 16, generator=seeded(1))
    regions = boxes_to_maps(torch.rand(4, 2, 4, generator=seeded(2)))
    batch = dict(driving=image, regions=regions)
    out, expected = PairedElastic(0.0, **AFFINE)(batch, seeded()), PairedAffine(**AFFINE)(batch, seeded())
    assert torch.equal(out['driving'], expected['driving']) and torch.equal(out['regions'], expected['regions'])


def test_edges_of_regions_move_with_the_pixels():
    """Regions of all sizes, one of them not found, against a search for the pixels that show the edges."""
    boxes = torch.tensor([(0.4, 0.5, 0.6, 0.6), (0.3, 0.25, 0.7, 0.75), (torch.nan,) * 4]).repeat(16, 1, 1)
    transform, size = PairedElastic(0.03, 4, **AFFINE), 200
    batch = dict(driving=positions_image(16, size), regions=boxes_to_maps(boxes))
    out = transform(batch, seeded())
    assert out['regions'][:, 2].isnan().all()
    for sample in range(16):
        for region in range(2):
            left, top, right, bottom = boxes[sample, region].mul(2).sub(1).double()
            middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
            found = []
            for x, y in ((left, middle_y), (right, middle_y), (middle_x, top), (middle_x, bottom)):
                shown = out['driving'][sample, :2]
                distance = (shown[0] - x).square() + (shown[1] - y).square()
                row, column = divmod(int(distance.argmin()), size)
                found.append([(column + 0.5) / size * 2 - 1, (row + 0.5) / size * 2 - 1])
            found = torch.tensor(found)
            expected = torch.stack([(found[1] - found[0]) / 2, (found[3] - found[2]) / 2, found.mean(0)], dim=-1)
            torch.testing.assert_close(out['regions'][sample, region], expected, atol=2 / size, rtol=0)


def test_beyond_the_image_regions_move_as_at_its_edge():
    """A displacement of 0.1 at the right edge and 0 in the left half."""
    transform = PairedElastic(0.01, 4)
    control = torch.zeros(1, 2, 7, 7)
    control[0, 0, :, 4:] = 0.1  # the three control points around the last knot
    parameters = torch.cat([torch.eye(2, 3)[None], control.flatten(2)], dim=-1)
    regions = boxes_to_maps(torch.tensor([[[1.2, 0.4, 1.3, 0.6], [0.1, 0.4, 0.2, 0.6]]]))
    moved = transform.apply_to_regions(regions, parameters)
    torch.testing.assert_close(moved[0, 0, :, 2], regions[0, 0, :, 2] - torch.tensor([0.1, 0.0]))
    torch.testing.assert_close(moved[0, 1], regions[0, 1])


def test_one_resampling_keeps_more_detail_than_two():
    noise = torch.rand(16, 3, 64, 64, generator=seeded())
    once = PairedElastic(0.02, **AFFINE)(dict(a=noise), seeded())['a']
    affine = PairedAffine(**AFFINE)(dict(a=noise), seeded())
    twice = PairedElastic(0.02, **STILL)(affine, seeded(1))['a']
    assert once.std() > 1.1 * twice.std()


@pytest.mark.parametrize('wrong', [
    dict(strength=-0.1), dict(strength=float('nan')), dict(strength=float('inf')), dict(cells=0), dict(cells=2.5),
    dict(rotation=-1), dict(padding='zeros')])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError):
        PairedElastic(**wrong)
