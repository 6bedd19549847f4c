"""Default values: those of LIA and LIA-X."""

import torch
from support.signatures import defaults
from torch.nn import functional as F

from leokit.encoders import LIAEncoder, LIAXEncoder
from leokit.nn import scaled_leaky_relu


def test_arguments():
    widths = dict(appearance_dim=512, max_channels=512)
    assert defaults(LIAEncoder) == dict(widths, motion_dim=20, channel_multiplier=1, init='identity')
    assert defaults(LIAXEncoder) == dict(widths, motion_dim=40, channel_multiplier=2)


def test_the_first_and_last_layers_by_their_definition():
    torch.manual_seed(0)
    for encoder in (LIAEncoder(32, 16, motion_dim=4, max_channels=8),
                    LIAXEncoder(32, 16, motion_dim=4, channel_multiplier=1 / 64, max_channels=8)):
        images = torch.randn(2, 3, 32, 32)
        encoding = encoder(images)
        first = scaled_leaky_relu(F.conv2d(images, encoder.from_rgb.weight / 3**0.5))
        torch.testing.assert_close(encoding.features[-1], first)
        last = encoder.blocks[-1](encoding.features[0])  # 4 x 4 pixels
        expected = torch.einsum('bchw,dchw->bd', last, encoder.to_appearance.weight) / (8 * 16)**0.5
        torch.testing.assert_close(encoding.appearance, expected)
