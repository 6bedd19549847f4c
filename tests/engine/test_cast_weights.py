import pytest
import torch
from torch import nn

from leokit.engine.cast_weights import CastWeights
from leokit.models import MotionDiffusion

N = 4
BACKBONE = dict(type='UNet1D', channels=(16, 32), num_blocks=1, attention_levels=(1,), embedding_dim=16, head_dim=8)


class Network(nn.Module):
    autocast_layers = (nn.Linear,)

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight  # tied
        self.frozen = nn.Linear(3, 3).requires_grad_(False)

    def forward(self, x):
        return self.frozen(self.second(self.norm(self.first(x))))


def test_layers_have_the_copies_within_the_context_only():
    network = nn.Sequential(Network())[0]
    casts = CastWeights(network, torch.bfloat16)
    names, weights = zip(*network.named_parameters(remove_duplicate=False))
    with pytest.raises(RuntimeError, match='an error'), casts.in_place():
        within = dict(network.named_parameters(remove_duplicate=False))
        assert {name for name in names if within[name].dtype == torch.bfloat16} == {
            'first.weight', 'first.bias', 'second.weight'}
        assert within['first.weight'] is within['second.weight'] and len(casts) == 2
        assert list(within) == list(names)
        raise RuntimeError('an error')
    assert all(one is other for one, other in zip(network.parameters(), dict(zip(map(id, weights), weights)).values()))
    assert casts.copy_of(network.norm.weight) is None and casts.copy_of(network.frozen.weight) is None
    with torch.no_grad():
        network.first.weight.add_(1)
    assert not torch.equal(casts.copy_of(network.first.weight), network.first.weight.bfloat16())
    casts.refresh()
    assert torch.equal(casts.copy_of(network.first.weight), network.first.weight.bfloat16())


def test_other_models_have_none():
    model = nn.Sequential(nn.Linear(3, 3))
    casts = CastWeights(model, torch.bfloat16)
    casts.refresh()
    assert len(casts) == 0 and casts.copy_of(model[0].weight) is None


def test_the_gradients_of_the_unet_are_those_of_autocast():
    torch.manual_seed(0)
    model = MotionDiffusion(N, 8, backbone=BACKBONE)
    for weight in model.backbone.parameters():  # some are zero
        nn.init.normal_(weight, std=0.2)
    casts = CastWeights(model, torch.bfloat16)
    x, t = torch.randn(2, 8, N), torch.tensor([3, 7])

    def loss():
        with torch.autocast('cpu', torch.bfloat16):
            return model.backbone(x, t).float().square().mean()

    expected = loss()
    expected.backward()
    usual = {weight: weight.grad for weight in model.backbone.parameters()}
    model.zero_grad()
    with casts.in_place():
        found = loss()
        found.backward()
    assert torch.equal(found, expected) and len(casts) > 20
    for weight, grad in usual.items():
        copy = casts.copy_of(weight)
        assert (copy is None) == (weight.grad is not None)
        torch.testing.assert_close((weight if copy is None else copy).grad.float(), grad, rtol=1e-2, atol=1e-6)
    casts.forget_gradients()
    assert all(casts.copy_of(weight) is None or casts.copy_of(weight).grad is None for weight in usual)
