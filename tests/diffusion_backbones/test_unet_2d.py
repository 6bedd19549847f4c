"""The image U-Net."""

import pytest
import torch

from leokit.registry import DIFFUSION_BACKBONES

SMALL = dict(type='UNet2D', channels=(16, 32), num_blocks=1, attention_levels=(1,), embedding_dim=16, head_dim=16)


def build(**options):
    """A small network with random weights instead of zero-initialized ones."""
    torch.manual_seed(0)
    backbone = DIFFUSION_BACKBONES.build({**SMALL, **options})
    for parameter in backbone.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    return backbone


def batch(height=8, width=8, size=3):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(size, 3, height, width, generator=generator), torch.tensor([0, 300, 999])[:size]


def test_the_initial_output_is_zero():
    x, t = batch()
    assert torch.equal(DIFFUSION_BACKBONES.build(SMALL)(x, t), torch.zeros_like(x))


@pytest.mark.parametrize('height, width', [(1, 1), (5, 8), (13, 7)])
def test_any_size(height, width):
    x, t = batch(height, width)
    out = build()(x, t)
    assert out.shape == x.shape and torch.isfinite(out).all()


def test_samples_are_independent():
    backbone, (x, t) = build(), batch(3, 3)
    alone = torch.cat([backbone(x[i:i + 1], t[i:i + 1]) for i in range(3)])
    assert torch.allclose(backbone(x, t), alone, atol=1e-5)


def test_every_parameter_gets_a_gradient():
    backbone, (x, t) = build(cond_dim=4, extra_channels=2), batch()
    backbone(x, t, torch.randn(3, 4), extra=torch.randn(3, 2, 8, 8)).square().sum().backward()
    assert not [name for name, p in backbone.named_parameters() if p.grad is None or not p.grad.any()]


def test_time_condition_and_second_image_matter():
    backbone, (x, t) = build(cond_dim=4, extra_channels=3), batch()
    cond, extra = torch.randn(3, 4), torch.randn(3, 3, 8, 8)
    out = backbone(x, t, cond, extra=extra)
    for changed in ((t + 50, cond, extra), (t, cond + 1, extra), (t, cond, extra + 1)):
        assert not torch.allclose(out, backbone(x, changed[0], changed[1], extra=changed[2]), atol=1e-3)


def test_it_compiles_and_takes_channels_last_and_bfloat16():
    backbone, (x, t) = build(), batch()
    expected = backbone(x, t)
    backbone.to(memory_format=torch.channels_last)
    x = x.to(memory_format=torch.channels_last)
    assert torch.allclose(backbone(x, t), expected, atol=1e-5)
    compiled = torch.compile(backbone, fullgraph=True, backend='eager')
    with torch.autocast('cpu', torch.bfloat16):
        assert (compiled(x, t) - expected).norm() < 0.05 * expected.norm()
    torch.compiler.reset()


def test_wrong_shapes_are_errors():
    x, t = batch()
    with pytest.raises(ValueError, match='x must have shape'):
        build()(x[:, :2], t)
    with pytest.raises(ValueError, match='extra'):
        build(extra_channels=1)(x, t)
    with pytest.raises(ValueError, match='extra'):
        build()(x, t, extra=x)
    with pytest.raises(ValueError, match='extra must have shape'):
        build(extra_channels=3)(x, t, extra=x[..., 1:])


def test_default_size():
    parameters = sum(p.numel() for p in DIFFUSION_BACKBONES.build(dict(type='UNet2D', cond_dim=21)).parameters())
    assert 30e6 < parameters < 45e6
