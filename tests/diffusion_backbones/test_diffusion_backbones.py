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


def padded(lengths, frames):
    """The mask of sequences of these lengths, bool (B, frames)."""
    return torch.arange(frames) < torch.tensor(lengths)[:, None]


@pytest.mark.parametrize('name', SEQUENCE)
@pytest.mark.parametrize('padding', [0.0, 1e4, float('nan')])
def test_padded_frames_change_nothing(name, padding):
    """A padded sequence has the outputs of the sequence alone, which no mask is needed for, whatever its padding."""
    backbone, lengths = build(name, control_dim=2), [9, 1, 6, 2, 13]
    x, t = batch(name, size=5, frames=13)
    control = torch.randn(5, 13, 2, generator=torch.Generator().manual_seed(2))
    mask = padded(lengths, 13)
    out = backbone(x.masked_fill(~mask[..., None], padding), t, mask=mask,
                   control=control.masked_fill(~mask[..., None], padding))
    for i, length in enumerate(lengths):
        alone = backbone(x[i:i + 1, :length], t[i:i + 1], control=control[i:i + 1, :length])
        assert torch.allclose(out[i:i + 1, :length], alone, atol=2e-5), length


@pytest.mark.parametrize('name', SEQUENCE)
def test_a_full_mask_equals_no_mask(name):
    backbone, (x, t) = build(name), batch(name, frames=9)
    assert torch.allclose(backbone(x, t, mask=torch.ones(4, 9, dtype=torch.bool)), backbone(x, t), atol=1e-5)


@pytest.mark.parametrize('name', SEQUENCE)
def test_padded_frames_get_no_gradient(name):
    backbone, (x, t), mask = build(name), batch(name, frames=7), padded([7, 3, 1, 5], 7)
    x.requires_grad_()
    (backbone(x, t, mask=mask)[mask] ** 2).sum().backward()
    assert not x.grad[~mask].any() and (x.grad[mask].abs().amax(-1) > 0).all()


@pytest.mark.parametrize('name', SEQUENCE)
def test_control_acts_frame_by_frame(name):
    backbone, (x, t) = build(name, control_dim=2), batch(name, frames=9)
    control = torch.zeros(4, 9, 2)
    changed = control.clone()
    changed[:, 4] = 1
    difference = (backbone(x, t, control=changed) - backbone(x, t, control=control)).abs().amax(-1)  # (B, T)
    assert (difference.argmax(1) - 4).abs().max() <= 2 and (difference.amax(1) > 1e-3).all()


@pytest.mark.parametrize('name', SEQUENCE)
def test_an_untrained_backbone_ignores_its_control(name):
    backbone, (x, t) = build(name, control_dim=2), batch(name)
    torch.nn.init.zeros_(backbone.control.linear.weight), torch.nn.init.zeros_(backbone.control.linear.bias)
    fresh = DIFFUSION_BACKBONES.build(dict(type=name, motion_dim=N, **SEQUENCE[name], control_dim=2))
    assert not fresh.control.linear.weight.any() and not fresh.control.linear.bias.any()
    assert torch.equal(backbone(x, t, control=torch.randn(4, 7, 2)), backbone(x, t, control=torch.zeros(4, 7, 2)))


@pytest.mark.parametrize('name', SEQUENCE)
def test_wrong_masks_and_controls_are_errors(name):
    backbone, (x, t) = build(name), batch(name)
    with pytest.raises(ValueError, match='mask must have shape'):
        backbone(x, t, mask=torch.ones(4, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match='control_dim'):
        backbone(x, t, control=torch.zeros(4, 7, 2))
    with pytest.raises(ValueError, match='control must have shape'):
        build(name, control_dim=2)(x, t, control=torch.zeros(4, 6, 2))
    with pytest.raises(ValueError, match='control_dim'):
        build(name, control_dim=2)(x, t)
