import pytest
import torch

from leokit.encoders import LIAEncoder


def test_shapes_of_every_output():
    encoder = LIAEncoder(64, 32, motion_dim=7, max_channels=16)
    encoding = encoder(torch.randn(2, 3, 64, 64))
    assert encoding.appearance.shape == (2, 32) and encoding.motion.shape == (2, 7)
    assert [tuple(f.shape) for f in encoding.features] == [(2, 16, s, s) for s in (8, 16, 32, 64)]


def test_motion_head_is_linear():
    # no activation stands between its layers, so the head of a mean is the mean of the heads
    encoder = LIAEncoder(32, 16, motion_dim=3, max_channels=8)
    a, b = torch.randn(2, 16), torch.randn(2, 16)
    middle = encoder.motion_head((a + b) / 2)
    torch.testing.assert_close(middle, (encoder.motion_head(a) + encoder.motion_head(b)) / 2, rtol=1e-4, atol=1e-5)
    assert len(encoder.motion_head) == 5


def test_a_wrong_size_is_an_error():
    with pytest.raises(ValueError, match=r'images must have shape \(\*, 3, 32, 32\)'):
        LIAEncoder(32, 16, max_channels=8)(torch.randn(1, 3, 64, 64))
