"""Properties of every control encoder."""

import pytest
import torch
import torch.nn.functional as F
from support.signatures import defaults

from leokit.control_encoders import ConvControlEncoder, MLPControlEncoder
from leokit.registry import CONTROL_ENCODERS
from leokit.utils import UserError

ENCODERS = {'MLPControlEncoder': dict(hidden_dim=16), 'ConvControlEncoder': dict(depth=2)}


def build(name, **options):
    torch.manual_seed(0)
    return CONTROL_ENCODERS.build(dict(type=name, control_dim=3, dim=8, **ENCODERS[name], **options))


@pytest.mark.parametrize('name', ENCODERS)
@pytest.mark.parametrize('padding', [0.0, 1e4, float('nan')])
def test_padding_changes_nothing(name, padding):
    encoder, control = build(name), torch.randn(3, 7, 3, generator=torch.Generator().manual_seed(0))
    encoder.set_statistics([1.0, 2.0, 3.0], [2.0, 1.0, 4.0])
    mask = torch.arange(7) < torch.tensor([7, 1, 4])[:, None]
    out = encoder(control.masked_fill(~mask[..., None], padding), mask)
    assert out.shape == (3, 7, 8)
    for i, length in enumerate([7, 1, 4]):
        assert torch.allclose(out[i, :length], encoder(control[i:i + 1, :length])[0], atol=1e-5)


@pytest.mark.parametrize('name, reach', [('MLPControlEncoder', 0), ('ConvControlEncoder', 2)])
def test_how_far_a_frame_of_control_reaches(name, reach):
    encoder, control = build(name), torch.zeros(1, 11, 3)
    changed = control.clone()
    changed[:, 5] = 1
    difference = (encoder(changed) - encoder(control)).abs().amax(-1)[0] > 1e-6
    assert difference.nonzero().flatten().tolist() == list(range(5 - reach, 6 + reach))


@pytest.mark.parametrize('name', ENCODERS)
def test_units_of_the_control_do_not_matter(name):
    encoder, control = build(name), torch.randn(4, 50, 3)
    encoder.set_statistics(control.mean((0, 1)), control.std((0, 1)))
    expected = encoder(control)
    scaled = 100 * control + 7
    encoder.set_statistics(scaled.mean((0, 1)), scaled.std((0, 1)))
    assert torch.allclose(encoder(scaled), expected, atol=1e-4)
    encoder.set_statistics([0.0, 0.0, 0.0], [1.0, 0.0, 1.0])  # a channel that never varies
    assert torch.isfinite(encoder(control)).all()


@pytest.mark.parametrize('name', ENCODERS)
def test_mistakes_are_one_sentence(name):
    with pytest.raises(UserError, match='have 2 channels, but the model has control_dim=3'):
        build(name).set_statistics([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(UserError, match='control_dim=0'):
        CONTROL_ENCODERS.build(dict(type=name, control_dim=0))


def test_definitions():
    """Normalized control through Linear, SiLU, Linear; or Linear, then convolutions of SiLU added to their input."""
    assert defaults(MLPControlEncoder) == dict(dim=64, hidden_dim=128)
    assert defaults(ConvControlEncoder) == dict(dim=64, depth=3, kernel_size=3)
    mlp, conv = MLPControlEncoder(3, 4, hidden_dim=5), ConvControlEncoder(3, 4, depth=2, kernel_size=5)
    control = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(0))
    normal = (control - torch.tensor([1.0, -2.0, 0.5])) / torch.tensor([2.0, 0.5, 1.0])
    for encoder in (mlp, conv):
        encoder.set_statistics([1.0, -2.0, 0.5], [2.0, 0.5, 0.0])  # the last one never varies: it is only centered
    weights = mlp.state_dict()
    hidden = F.silu(F.linear(normal, weights['layers.0.weight'], weights['layers.0.bias']))
    expected = F.linear(hidden, weights['layers.2.weight'], weights['layers.2.bias'])
    assert torch.allclose(mlp(control), expected, atol=1e-6)
    weights = conv.state_dict()
    h = F.linear(normal, weights['stem.weight'], weights['stem.bias']).transpose(1, 2)
    for k in range(2):
        h = h + F.conv1d(F.silu(h), weights[f'convs.{k}.weight'], weights[f'convs.{k}.bias'], padding=2)
    assert torch.allclose(conv(control), h.transpose(1, 2), atol=1e-6)


def test_small_deviations_are_kept():
    encoder = MLPControlEncoder(3)
    encoder.set_statistics([0.0] * 3, [1e-4, 2e-6, 5e-7])
    assert encoder.std.tolist() == pytest.approx([1e-4, 2e-6, 1.0])


def test_the_smallest_sizes():
    control = torch.randn(1, 4, 1)
    assert ConvControlEncoder(1, 1, depth=1, kernel_size=1)(control).shape == (1, 4, 1)
    assert MLPControlEncoder(1, 1, hidden_dim=1)(control).shape == (1, 4, 1)
    for kernel_size in (0, -1, 2):
        with pytest.raises(UserError, match='must be odd'):
            ConvControlEncoder(1, 1, kernel_size=kernel_size)
    with pytest.raises(UserError, match='dim=0'):
        MLPControlEncoder(1, 0)
