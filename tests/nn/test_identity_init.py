import pytest
import torch

from leokit.encoders import LIAEncoder
from leokit.flow_generators import LIAFlowGenerator
from leokit.nn import EqualConv2d, check_initialization, init_from_rgb_identity, init_to_rgb_identity, scaled_leaky_relu


@pytest.mark.parametrize('mask', [1.0, 0.9526, 0.5])
def test_rgb_passes_two_activations_unchanged(mask):
    come, go = EqualConv2d(3, 8, kernel_size=1), EqualConv2d(8, 3, kernel_size=1)
    init_from_rgb_identity(come)
    init_to_rgb_identity(go, mask)
    images = torch.rand(2, 3, 4, 4) * 4 - 2
    feature = scaled_leaky_relu(come(images))
    torch.testing.assert_close(scaled_leaky_relu(go(mask * feature)), images)
    assert (come.weight[3:] != 0).all()  # the other channels are random


def test_the_first_output_is_the_source():
    encoder = LIAEncoder(32, 16, motion_dim=4, max_channels=8)
    generator = LIAFlowGenerator(32, 16, max_channels=8, warp_operator=dict(type='BilinearWarp', grid='exact'))
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    frames = generator(torch.randn(2, 16), encoder(images).features).frames
    inner = (slice(None), slice(None), slice(6, -6), slice(6, -6))  # the mask falls near the border
    torch.testing.assert_close(frames[inner], images[inner], atol=1e-3, rtol=0)
    assert (frames - images).abs().max() < 0.5


def test_the_reference_initializes_every_weight_at_random():
    encoder = LIAEncoder(32, 16, motion_dim=4, max_channels=8, init='reference')
    assert (encoder.from_rgb.weight != 0).all()


def test_unknown_initialization():
    with pytest.raises(ValueError, match='zeros'):
        check_initialization('zeros')
