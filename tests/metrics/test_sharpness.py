import torch

from leokit.metrics.sharpness import high_frequency_detail


def test_the_distance_of_a_pixel_from_the_mean_of_its_neighborhood():
    image = torch.zeros(1, 2, 5, 5)
    image[0, 0, 2, 2] = 9.0  # the means are 1 in its neighborhood
    expected = torch.zeros(5, 5)
    expected[1:4, 1:4], expected[2, 2] = 1, 8
    detail = high_frequency_detail(image)
    assert detail.shape == image.shape
    torch.testing.assert_close(detail[0, 0], expected)
    assert not detail[0, 1].any()


def test_border_pixels_are_replicated():
    ramp = torch.arange(4.0).expand(1, 1, 4, 4).clone()
    expected = torch.tensor([1 / 3, 0, 0, 1 / 3]).expand(4, 4)  # at the left (0 + 0 + 1) / 3
    torch.testing.assert_close(high_frequency_detail(ramp)[0, 0], expected)
    torch.testing.assert_close(high_frequency_detail(ramp.mT)[0, 0], expected.T)
