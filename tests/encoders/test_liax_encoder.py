import pytest
import torch

from leokit.encoders import LIAXEncoder


def test_shapes_and_widths():
    torch.manual_seed(0)
    encoder = LIAXEncoder(64, 24, motion_dim=5, channel_multiplier=1 / 32, max_channels=16)
    encoding = encoder(torch.randn(2, 3, 64, 64))
    assert encoding.appearance.shape == (2, 24) and encoding.motion.shape == (2, 5)
    # 256 channels at 64 and 512 below, all times 1/32
    assert [tuple(feature.shape[1:]) for feature in encoding.features] == [(16, 8, 8), (16, 16, 16), (16, 32, 32),
                                                                           (8, 64, 64)]
    assert encoder.blocks[0].conv1.weight.shape[:2] == (16, 8)  # the first convolution widens
    assert encoder.blocks[0].conv2.weight.shape[:2] == (16, 16)


def test_the_papers_widths():
    with torch.device('meta'):
        encoder = LIAXEncoder(512, 1024, motion_dim=40, channel_multiplier=4, max_channels=1024)
    assert sum(weight.numel() for weight in encoder.parameters()) / 1e6 == pytest.approx(115.8, abs=0.05)


def test_the_motion_code_is_linear_in_the_appearance():
    torch.manual_seed(0)
    encoder = LIAXEncoder(32, 16, motion_dim=4, channel_multiplier=1 / 64, max_channels=8)
    encoding = encoder(torch.randn(3, 3, 32, 32))
    head = encoder.motion_head
    torch.testing.assert_close(encoding.motion, encoding.appearance @ head.weight.t() / 4 + head.bias)
