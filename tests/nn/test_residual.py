import math

import torch

from leokit.nn import ResidualDownBlock, upfirdn2d_reference


def test_shortcut_alone_is_a_blurred_half_size_copy():
    block = ResidualDownBlock(2, 2)
    with torch.no_grad():
        block.conv2.weight.zero_()  # leaves the shortcut and a zero bias
        block.skip.weight.copy_(torch.eye(2).view(2, 2, 1, 1) / block.skip.scale)
    x = torch.randn(1, 2, 8, 8)
    expected = upfirdn2d_reference(x, down=2, pad=(1, 1)) / math.sqrt(2)
    torch.testing.assert_close(block(x), expected)
