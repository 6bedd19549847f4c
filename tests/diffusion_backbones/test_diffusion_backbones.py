"""Properties of every backbone over motion codes."""

import pytest
import torch

from leokit.registry import DIFFUSION_BACKBONES

N = 6
SEQUENCE = {
    'UNet1D': dict(channels=(32, 32, 64), num_blocks=1, attention_levels=(1, 2), embedding_dim=16, head_dim=16),
    'MotionTransformer': dict(dim=16, depth=2, head_dim=8, mlp_ratio=2),
    'TemporalConvNet': dict(channels=16, depth=3, cycle=2, embedding_dim=16),
}
SINGLE = {'MLPDenoiser': dict(dim=16, depth=2, embedding_dim=16)}
BACKBONES = {**SEQUENCE, **SINGLE}


def build(name, **options):
    """A backbone with random weights instead of zero-initialized ones."""
    torch.manual_seed(0)
    backbone = DIFFUSION_BACKBONES.build(dict(type=name, motion_dim=N, **BACKBONES[name], **options))
    for parameter in backbone.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=parameter.shape[-1] ** -0.5)
    return backbone


def batch(name, size=4, frames=7):
    generator = torch.Generator().manual_seed(1)
    shape = (size, frames, N) if name in SEQUENCE else (size, N)
    return torch.randn(shape, generator=generator), torch.randint(0, 1000, (size,), generator=generator)


@pytest.mark.parametrize('name', BACKBONES)
def test_the_initial_output_is_zero(name):
    x, t = batch(name)
    backbone = DIFFUSION_BACKBONES.build(dict(type=name, motion_dim=N, **BACKBONES[name]))
    assert torch.equal(backbone(x, t), torch.zeros_like(x))


@pytest.mark.parametrize('name', SEQUENCE)
@pytest.mark.parametrize('frames', [1, 2, 3, 5, 8, 13, 20])
def test_any_number_of_frames(name, frames):
    x, t = batch(name, frames=frames)
    out = build(name)(x, t)
    assert out.shape == x.shape and torch.isfinite(out).all()


@pytest.mark.parametrize('name', SEQUENCE)
def test_the_last_frame_of_an_odd_length_counts(name):
    """Frames that do not fill a coarse step are neither dropped nor ignored."""
    backbone, (x, t) = build(name), batch(name, frames=7)
    changed = x.clone()
    changed[:, -1] += 1
    difference = (backbone(changed, t) - backbone(x, t)).abs().amax(dim=(0, 2))
    assert (difference > 1e-6).all()


@pytest.mark.parametrize('name', BACKBONES)
def test_samples_are_independent(name):
    """Also where the batch is as large as another dimension."""
    backbone = build(name)
    x, t = batch(name, size=N, frames=N)
    alone = torch.cat([backbone(x[i:i + 1], t[i:i + 1]) for i in range(N)])
    assert torch.allclose(backbone(x, t), alone, atol=1e-5)


@pytest.mark.parametrize('name', BACKBONES)
@pytest.mark.parametrize('cond_dim', [0, 3])
def test_every_parameter_gets_a_gradient(name, cond_dim):
    backbone, (x, t) = build(name, cond_dim=cond_dim), batch(name)
    backbone(x, t, torch.randn(len(x), 3) if cond_dim else None).square().sum().backward()
    for key, parameter in backbone.named_parameters():
        # the bias of a key shifts every logit of a query alike, which softmax ignores
        gradient = parameter.grad if 'qkv.bias' not in key else parameter.grad.chunk(3)[0]
        assert gradient is not None and gradient.abs().max() > 0, key


@pytest.mark.parametrize('name', BACKBONES)
def test_time_and_condition_matter(name):
    backbone, (x, t) = build(name, cond_dim=3), batch(name)
    cond = torch.randn(len(x), 3)
    out = backbone(x, t, cond)
    assert not torch.allclose(out, backbone(x, t + 100, cond), atol=1e-3)
    assert not torch.allclose(out, backbone(x, t, cond + 1), atol=1e-3)


@pytest.mark.parametrize('name', BACKBONES)
def test_eval_mode_is_deterministic_and_dropout_is_not(name):
    backbone, (x, t) = build(name, dropout=0.5), batch(name)
    assert not torch.equal(backbone(x, t), backbone(x, t))
    backbone.eval()
    assert torch.equal(backbone(x, t), backbone(x, t))


@pytest.mark.parametrize('name', BACKBONES)
def test_it_compiles_without_graph_breaks(name):
    backbone, (x, t) = build(name), batch(name)
    compiled = torch.compile(backbone, fullgraph=True, backend='eager')
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.allclose(compiled(x, t), backbone(x, t))
    torch.compiler.reset()


@pytest.mark.parametrize('name', BACKBONES)
def test_bfloat16_autocast_stays_close(name):
    backbone, (x, t) = build(name), batch(name)
    exact = backbone(x, t)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = backbone(x, t)
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).norm() < 0.03 * exact.norm()


@pytest.mark.parametrize('name', BACKBONES)
def test_wrong_shapes_are_errors(name):
    backbone, (x, t) = build(name), batch(name)
    with pytest.raises(ValueError, match='x must have shape'):
        backbone(x[..., :-1], t)
    with pytest.raises(ValueError, match='t must have shape'):
        backbone(x, t[:, None])
    with pytest.raises(ValueError, match='cond'):
        backbone(x, t, torch.zeros(len(x), 3))
