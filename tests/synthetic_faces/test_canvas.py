import pytest
import torch

from leokit.synthetic_faces.canvas import Canvas, band, bump, cover, smooth_step


def test_coverage_of_an_edge_is_its_area():
    pixel = 0.25
    edge = torch.tensor([-1.0, -pixel / 2, -pixel / 4, 0.0, pixel / 4, pixel / 2, 1.0])
    assert cover(edge, pixel).tolist() == [1, 1, 0.75, 0.5, 0.25, 0, 0]


@pytest.mark.parametrize('thickness', [0.003, 0.02, 0.2])
@pytest.mark.parametrize('pixel', [0.01, 0.05])
def test_a_band_keeps_its_area_at_any_pixel_size(thickness, pixel):
    centers = torch.arange(-1, 1, pixel) + pixel / 2
    covered = band(torch.tensor(-thickness / 2), torch.tensor(thickness / 2), centers, pixel)
    assert covered.sum().item() * pixel == pytest.approx(thickness, rel=1e-3)


def test_a_band_with_swapped_edges_is_empty():
    assert band(torch.tensor(0.1), torch.tensor(-0.1), torch.linspace(-1, 1, 9), 0.3).abs().max() == 0


def test_painting_blends_and_a_crop_is_a_view():
    canvas = Canvas(torch.zeros(2, 3, 4, 4))
    color = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)
    canvas.crop(slice(1, 3), slice(0, 2)).paint(color, torch.full((2, 2, 2), 0.5))
    assert canvas.pixels[1, :, 1, 0].tolist() == [0.5, 0.25, 0.0]
    assert canvas.pixels.sum().item() == pytest.approx(2 * 4 * 0.75)
    canvas.shade(0.5, torch.ones(2, 4, 4))
    assert canvas.pixels[0, 0, 2, 1].item() == 0.25


def test_values_of_ramps_and_spots():
    ramp = smooth_step(torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0]))
    assert ramp.tolist() == [0, 0, 0.5, 1, 1]
    spot = bump(torch.tensor([0.0, 1.0, 100.0]))
    assert spot[0] == 1 and spot[1].item() == pytest.approx(0.6065, abs=0.03) and spot[2] == 0
