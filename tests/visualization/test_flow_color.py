import pytest
import torch

from leokit.visualization import flow_to_color, mask_to_image


def vector(x, y):
    return torch.tensor([x, y], dtype=torch.float32).view(1, 2, 1, 1)


def color_of(x, y):
    """Color of a vector next to one of length 1."""
    return flow_to_color(torch.cat([vector(x, y), vector(0, 1)]))[0].flatten().tolist()


def test_no_motion_is_white():
    assert flow_to_color(torch.zeros(2, 2, 3, 4)).unique().tolist() == [255]


@pytest.mark.parametrize('x, y, expected', [
    # positions on the wheel of 55 colors, computed by hand: 0, 13.5, 27, 40.5
    (1, 0, (255, 0, 0)), (0, 1, (255, 229, 0)), (-1, 0, (0, 209, 255)), (0, -1, (88, 0, 255))])
def test_hue_is_the_direction(x, y, expected):
    assert color_of(x, y) == pytest.approx(expected, abs=2)


def test_saturation_is_the_length():
    assert color_of(0.5, 0) == pytest.approx((255, 127.5, 127.5), abs=1)


def test_the_longest_vector_of_the_batch_is_fully_saturated():
    first, second = flow_to_color(torch.cat([vector(0.01, 0), vector(0.02, 0)]))
    assert second.flatten().tolist() == [255, 0, 0]
    assert first.flatten().tolist() == pytest.approx([255, 127.5, 127.5], abs=1)


def test_hue_is_continuous():
    # the published wheel has one jump, at rightward motion, where its 55th color meets the first; left out here
    angle = torch.linspace(0.01, 2 * torch.pi - 0.01, 721)
    flow = torch.stack([angle.cos(), angle.sin()]).view(1, 2, 1, -1)
    colors = flow_to_color(flow).float()
    assert (colors[..., 1:] - colors[..., :-1]).abs().max() < 8
    assert colors[0, :, 0, :-1].unique(dim=1).shape[1] > 300


@pytest.mark.parametrize('unknown', [float('nan'), float('inf')])
def test_flow_that_is_not_finite_is_black_and_leaves_the_rest_alone(unknown):
    flow = torch.cat([vector(unknown, 0), vector(1, 0)])
    assert flow_to_color(flow).flatten(1).tolist() == [[0, 0, 0], [255, 0, 0]]


def test_shape_and_type():
    colors = flow_to_color(torch.randn(3, 2, 5, 7))
    assert colors.shape == (3, 3, 5, 7) and colors.dtype == torch.uint8
    with pytest.raises(ValueError, match='flow'):
        flow_to_color(torch.zeros(3, 5, 7, 2))


def test_masks_are_gray_and_not_stretched():
    mask = torch.tensor([0.0, 0.2, 0.6, 1.0]).view(1, 1, 2, 2)
    image = mask_to_image(mask)
    assert image.shape == (1, 3, 2, 2)
    assert image[0, 2].flatten().tolist() == [0, 51, 153, 255]
