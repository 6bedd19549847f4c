"""The transformer over motion codes."""

import pytest
import torch

from leokit.diffusion_backbones import MotionTransformer
from leokit.diffusion_backbones.motion_transformer import rotate
from leokit.nn import sinusoidal_embedding
from leokit.utils import UserError


def test_default_size():
    assert 14e6 < sum(parameter.numel() for parameter in MotionTransformer(20).parameters()) < 16e6


def test_rotated_inner_products_depend_on_the_distance_only():
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 8, dtype=torch.float64).expand(2, 1, 1, 10, 8)
    rotation = sinusoidal_embedding(torch.arange(10).double(), 8)
    products = rotate(q, rotation)[0, 0] @ rotate(k, rotation)[0, 0].T
    for offset in range(-9, 10):
        diagonal = products.diagonal(offset)
        assert torch.allclose(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5)
    assert not torch.allclose(products[0, 1], products[0, 5], atol=1e-2)


def test_the_order_of_frames_matters():
    torch.manual_seed(0)
    model = MotionTransformer(3, 16, depth=1, head_dim=8)
    torch.nn.init.normal_(model.out.weight)
    x, t, order = torch.randn(2, 5, 3), torch.tensor([1, 2]), torch.tensor([4, 3, 2, 1, 0])
    assert not torch.allclose(model(x[:, order], t), model(x, t)[:, order], atol=1e-4)


@pytest.mark.parametrize('head_dim', [5, 12])
def test_invalid_heads_are_errors(head_dim):
    with pytest.raises(UserError, match='head_dim'):
        MotionTransformer(3, 20, head_dim=head_dim)
