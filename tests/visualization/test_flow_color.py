import pytest
import torch

from leokit.visualization import flow_to_color, mask_to_image


def vector(x, y):
    return torch.tensor([x, y], dtype=torch.float32).view(1, 2, 1, 1)


def color_of(x, y, max_magnitude=1.0):
    return flow_to_color(vector(x, y), max_magnitude).flatten().tolist()


def test_no_motion_is_white():
    assert flow_to_color(torch.zeros(2, 2, 3, 4)).unique().tolist() == [255]


@pytest.mark.parametrize('x, y, wanted', [
    # hand-computed places on the wheel of 55 colors: 0, 13.5, 27, 40.5
    (1, 0, (255, 0, 0)), (0, 1, (255, 229, 0)), (-1, 0, (0, 209, 255)), (0, -1, (88, 0, 255))])
def test_directions_have_their_hues(x, y, wanted):
    assert color_of(x, y) == pytest.approx(wanted, abs=2)


def test_half_the_length_is_halfway_to_white():
    assert color_of(0.5, 0) == pytest.approx((255, 127.5, 127.5), abs=1)


def test_longer_vectors_are_darkened():
    assert color_of(3, 0) == [191, 0, 0]


def test_the_longest_of_the_batch_gets_full_color():
    flow = torch.cat([vector(0.01, 0), vector(0.02, 0)])
    first, second = flow_to_color(flow)
    assert second.flatten().tolist() == [255, 0, 0]
    assert first.flatten().tolist() == pytest.approx([255, 127.5, 127.5], abs=1)


def test_the_hue_turns_without_jumps():
    # the published wheel has one seam, at rightward motion, where its 55th color meets the first: not crossed here
    angle = torch.linspace(0.01, 2 * torch.pi - 0.01, 721)
    flow = torch.stack([angle.cos(), angle.sin()]).view(1, 2, 1, -1)
    colors = flow_to_color(flow, 1.001).float()
    assert (colors[..., 1:] - colors[..., :-1]).abs().max() < 8
    assert colors[0, :, 0, :-1].unique(dim=1).shape[1] > 300


def test_unknown_flow_is_black_and_does_not_spoil_the_rest():
    flow = torch.cat([vector(float('nan'), 0), vector(1, 0)])
    assert flow_to_color(flow).flatten(1).tolist() == [[0, 0, 0], [255, 0, 0]]


def test_shape_and_type():
    colors = flow_to_color(torch.randn(3, 2, 5, 7))
    assert colors.shape == (3, 3, 5, 7) and colors.dtype == torch.uint8
    with pytest.raises(ValueError, match='flow'):
        flow_to_color(torch.zeros(3, 5, 7, 2))
    with pytest.raises(ValueError, match='max_magnitude'):
        flow_to_color(torch.zeros(1, 2, 5, 7), 0.0)


def test_masks_are_gray_and_not_stretched():
    mask = torch.tensor([0.0, 0.2, 0.6, 1.0]).view(1, 1, 2, 2)
    image = mask_to_image(mask)
    assert image.shape == (1, 3, 2, 2)
    assert image[0, 2].flatten().tolist() == [0, 51, 153, 255]
