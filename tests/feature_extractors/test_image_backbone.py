import pytest
import torch
from torch import nn
from torch.nn import functional as F

from leokit.feature_extractors.image_backbone import ImageBackbone

MEAN, STD = (0.5, 0.25, 0.0), (0.5, 0.25, 2.0)


class Means(ImageBackbone):
    """The normalized image and twice its means over 2x2 pixels."""

    dim, label = 3, 'means'

    def __init__(self, resize=None):
        super().__init__(resize)
        self.weight = nn.Parameter(torch.tensor(2.0))
        self.set_normalization(MEAN, STD)
        self.freeze()

    def stages(self, x):
        return x, F.avg_pool2d(x, 2)

    def head(self, x):
        return self.weight * x


def test_maps_of_normalized_pixels_and_their_means():
    pixels = torch.rand(2, 3, 4, 6)
    normalized = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    fine, coarse = Means().pyramid(2 * pixels - 1)
    torch.testing.assert_close(fine, normalized)
    torch.testing.assert_close(coarse, normalized.unflatten(2, (2, 2)).unflatten(4, (3, 2)).mean((3, 5)))
    features = Means()(2 * pixels.double() - 1)
    torch.testing.assert_close(features, 2 * normalized.mean((2, 3)))  # in float32


def test_the_normalization_is_no_weight():
    assert list(Means().state_dict()) == ['weight']  # which also identify the features


def test_images_are_resized_with_anti_aliasing():
    stripes = torch.tensor((-1.0, 1.0)).repeat(8).expand(1, 3, 16, 16)
    gray = 0 * Means().scale + Means().shift  # of pixels at the middle, 0
    fine = Means(4).pyramid(stripes)[0]
    assert fine.shape == (1, 3, 4, 4)
    torch.testing.assert_close(fine[..., 1:3], gray.expand(1, 3, 4, 2), atol=0.02, rtol=0)
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(Means(4).pyramid(image)[0], Means().pyramid(image)[0])
    assert Means(4).pyramid(torch.rand(1, 3, 4, 8))[0].shape == Means(4).pyramid(torch.rand(1, 3, 8, 4))[0].shape
    assert Means(4).pyramid(torch.rand(1, 3, 4, 8))[0].shape == (1, 3, 4, 4)


def test_sizes_that_are_refused():
    assert Means(1).resize == 1 and Means().resize is None
    with pytest.raises(ValueError, match='resize must be positive or None, got 0'):
        Means(0)
    with pytest.raises(ValueError, match=r'images must have shape \(\*, 3, \*, \*\)'):
        Means()(torch.zeros(1, 1, 4, 4))
