import math

import torch
from torch.nn import functional as F

from leokit.nn import ResidualDownBlock, upfirdn2d_reference


def test_shortcut_alone_is_a_blurred_half_size_copy():
    block = ResidualDownBlock(2, 2)
    with torch.no_grad():
        block.conv2.weight.zero_()  # leaves the shortcut and a zero bias
        block.skip.weight.copy_(torch.eye(2).view(2, 2, 1, 1) / block.skip.scale)
    x = torch.randn(1, 2, 8, 8)
    expected = upfirdn2d_reference(x, down=2, pad=(1, 1)) / math.sqrt(2)
    torch.testing.assert_close(block(x), expected)


def test_two_convolutions_and_the_shortcut_by_their_definition():
    torch.manual_seed(0)
    block = ResidualDownBlock(2, 5, hidden_channels=4)
    for bias in (block.activation1.bias, block.activation2.bias):
        torch.nn.init.normal_(bias)
    x = torch.randn(3, 2, 8, 8)

    def activated(features, bias):
        features = features + bias.view(1, -1, 1, 1)
        return torch.where(features > 0, features, 0.2 * features) * math.sqrt(2)

    hidden = activated(F.conv2d(x, block.conv1.weight / math.sqrt(2 * 9), padding=1), block.activation1.bias)
    blurred = upfirdn2d_reference(hidden, pad=(2, 2))
    main = activated(F.conv2d(blurred, block.conv2.weight / math.sqrt(4 * 9), stride=2), block.activation2.bias)
    shortcut = F.conv2d(upfirdn2d_reference(x, down=2, pad=(1, 1)), block.skip.weight / math.sqrt(2))
    torch.testing.assert_close(block(x), (main + shortcut) / math.sqrt(2))
    assert ResidualDownBlock(2, 5).conv1.weight.shape == (2, 2, 3, 3)
