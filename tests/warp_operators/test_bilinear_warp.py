import pytest
import torch

from leokit.nn import identity_grid
from leokit.registry import WARP_OPERATORS
from leokit.warp_operators import BilinearWarp, bilinear_sample_reference


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize('grid', ['lia', 'exact'])
def test_equals_the_reference(grid):
    feature, flow, mask = random(2, 3, 8, 6), random(2, 2, 8, 6, seed=1), torch.rand(2, 1, 8, 6)
    expected = mask * bilinear_sample_reference(feature, flow + identity_grid(8, 6, grid))
    torch.testing.assert_close(BilinearWarp(grid)(feature, flow, mask), expected, rtol=1e-4, atol=1e-5)


def test_zero_flow_is_the_identity_on_the_exact_grid_only():
    feature, flow, mask = random(1, 3, 8, 8), torch.zeros(1, 2, 8, 8), torch.ones(1, 1, 8, 8)
    torch.testing.assert_close(BilinearWarp('exact')(feature, flow, mask), feature, rtol=1e-5, atol=1e-5)
    assert (BilinearWarp('lia')(feature, flow, mask) - feature).abs().max() > 0.1


def test_a_flow_of_one_pixel_shifts_by_one_pixel():
    feature = random(1, 2, 8, 8)
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0] = 2 / 8  # x first: one pixel to the right is sampled
    warped = BilinearWarp('exact')(feature, flow, torch.ones(1, 1, 8, 8))
    torch.testing.assert_close(warped[..., :-1], feature[..., 1:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(warped[..., -1], torch.zeros(1, 2, 8), atol=1e-5, rtol=0)


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_one_source_serves_many_flows(layout):
    feature = random(2, 3, 8, 8).to(memory_format=layout)
    flow, mask = random(6, 2, 8, 8, seed=1) * 0.3, torch.rand(6, 1, 8, 8)
    warp = BilinearWarp()
    expected = warp(feature.repeat_interleave(3, dim=0), flow, mask)
    torch.testing.assert_close(warp(feature, flow, mask), expected)


def test_bfloat16_features_keep_float32_positions():
    feature = torch.linspace(-1, 1, 256).expand(1, 1, 4, 256).contiguous()
    flow = torch.full((1, 2, 4, 256), 0.3 / 256)
    flow[:, 1] = 0
    exact = BilinearWarp('exact')(feature, flow, torch.ones(1, 1, 4, 256))
    low = BilinearWarp('exact')(feature.bfloat16(), flow, torch.ones(1, 1, 4, 256))
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), exact, atol=0.01, rtol=0)


def test_registered_and_checked_when_built():
    assert isinstance(WARP_OPERATORS.build(dict(type='BilinearWarp', grid='exact')), BilinearWarp)
    with pytest.raises(ValueError, match='corner'):
        BilinearWarp('corner')


def test_corner_pixels_are_at_one_on_the_grid_of_lia_x():
    """A flow of 2 / (W - 1) is one pixel to the right, and zero flow the identity."""
    feature, flow, mask = random(1, 2, 6, 5), torch.zeros(1, 2, 6, 5), torch.ones(1, 1, 6, 5)
    torch.testing.assert_close(BilinearWarp('corners')(feature, flow, mask), feature, rtol=1e-5, atol=1e-5)
    flow[:, 0] = 2 / 4
    torch.testing.assert_close(BilinearWarp('corners')(feature, flow, mask)[..., :-1], feature[..., 1:])


def test_autocast_samples_in_float32():
    """Positions that bfloat16 cannot resolve, and a product with a bfloat16 mask."""
    feature, flow, mask = random(1, 2, 4, 256), torch.full((1, 2, 4, 256), 0.3 / 256), torch.rand(1, 1, 4, 256)
    expected = BilinearWarp('exact')(feature, flow, mask.bfloat16().float())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(BilinearWarp('exact')(feature, flow, mask.bfloat16()), expected)
