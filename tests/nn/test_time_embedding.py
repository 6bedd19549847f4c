"""Embedding of the diffusion time."""

import math

import pytest
import torch

from leokit.nn import TimeEmbedding, sinusoidal_embedding


def test_sinusoids_by_hand():
    features = sinusoidal_embedding(torch.tensor([0, 3]), 4, max_period=100.0)
    angles = 3 * torch.tensor([1.0, 0.1])  # 100 ** -0 and 100 ** -0.5
    assert torch.allclose(features[0], torch.tensor([1.0, 1.0, 0.0, 0.0]))
    assert torch.allclose(features[1], torch.cat([angles.cos(), angles.sin()]))


def test_sinusoids_differ_for_all_times():
    features = sinusoidal_embedding(torch.arange(1000), 32)
    distances = torch.cdist(features, features) + torch.eye(1000)
    assert distances.min() > 0.05


def test_odd_width_and_wrong_rank_are_errors():
    with pytest.raises(ValueError, match='even'):
        sinusoidal_embedding(torch.zeros(2), 5)
    with pytest.raises(ValueError, match='shape'):
        sinusoidal_embedding(torch.zeros(2, 1), 4)


def test_condition_has_no_effect_until_trained():
    torch.manual_seed(0)
    embed = TimeEmbedding(8, 3)
    t, cond = torch.tensor([1, 2]), torch.randn(2, 3)
    assert torch.equal(embed(t, cond), embed(t, -cond))
    torch.nn.init.ones_(embed.condition.weight)
    assert not torch.allclose(embed(t, cond), embed(t, -cond))


@pytest.mark.parametrize('cond_dim, cond', [(0, torch.zeros(1, 3)), (3, None)])
def test_condition_must_match_the_network(cond_dim, cond):
    with pytest.raises(ValueError, match='cond_dim'):
        TimeEmbedding(8, cond_dim)(torch.tensor([1]), cond)


def test_the_precision_is_that_of_float64_times_else_float32():
    assert sinusoidal_embedding(torch.tensor([3]), 8).dtype == torch.float32
    assert sinusoidal_embedding(torch.tensor([3.0], dtype=torch.bfloat16), 8).dtype == torch.float32
    t = torch.tensor([977.0], dtype=torch.float64)
    features = sinusoidal_embedding(t, 6)
    angles = [977 * 10_000 ** (-k / 3) for k in range(3)]
    expected = [math.cos(angle) for angle in angles] + [math.sin(angle) for angle in angles]
    assert features[0].tolist() == pytest.approx(expected, abs=1e-10)


def test_the_embedding_is_two_layers_on_the_sinusoids_plus_the_condition():
    torch.manual_seed(0)
    embed = TimeEmbedding(8, 3, num_frequencies=4)
    torch.nn.init.normal_(embed.condition.weight)
    t, cond = torch.tensor([1, 2]), torch.randn(2, 3)
    hidden = sinusoidal_embedding(t, 4) @ embed.mlp[0].weight.T + embed.mlp[0].bias
    expected = hidden * torch.sigmoid(hidden) @ embed.mlp[2].weight.T + embed.mlp[2].bias
    torch.testing.assert_close(embed(t, cond), expected + cond @ embed.condition.weight.T)
