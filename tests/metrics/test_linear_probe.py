import pytest
import torch

from leokit.metrics.linear_probe import direction_correlations, linear_probe, quantity_directions


def test_linear_targets_are_predicted_and_independent_ones_are_not():
    generator = torch.Generator().manual_seed(0)
    codes, other = (torch.randn(400, 5, generator=generator) for _ in range(2))
    mixing = torch.randn(5, 2, generator=generator)
    targets = torch.cat((codes @ mixing + 3, other[:, :1], codes[:, :1] ** 2, torch.ones(400, 1)), dim=1)
    scores = linear_probe(codes[:300], targets[:300], codes[300:], targets[300:])
    assert (scores[:2] > 0.999).all()
    assert scores[2] < 0.1 and scores[3] < 0.1
    assert scores[4].isnan()


def test_half_of_the_variance():
    generator = torch.Generator().manual_seed(1)
    codes, noise = (torch.randn(4000, 1, generator=generator) for _ in range(2))
    targets = codes + noise
    assert abs(linear_probe(codes[:2000], targets[:2000], codes[2000:], targets[2000:]) - 0.5) < 0.05


def test_directions_of_quantities():
    generator = torch.Generator().manual_seed(2)
    quantities = torch.randn(5000, 3, generator=generator)
    quantities[:, 1] += quantities[:, 0]  # separated in spite of their correlation
    mixing = torch.randn(3, 4, generator=generator)
    directions = quantity_directions(quantities @ mixing + 5, quantities)
    expected = mixing * quantities.std(0, correction=0)[:, None]
    torch.testing.assert_close(directions, expected.double(), atol=5e-3, rtol=0)


def test_correlations_of_entries():
    quantities = torch.randn(2000, 3, generator=torch.Generator().manual_seed(3))
    codes = torch.stack((-2 * quantities[:, 1] + 1, quantities[:, 0] + quantities[:, 2], torch.zeros(2000)), dim=1)
    expected = torch.tensor([[0, -1, 0], [0.5 ** 0.5, 0, 0.5 ** 0.5], [0, 0, 0]]).double()
    torch.testing.assert_close(direction_correlations(codes, quantities), expected, atol=0.06, rtol=0)
    assert not quantity_directions(quantities, torch.zeros(2000, 1)).any()


def test_shapes():
    for function in (direction_correlations, quantity_directions):
        with pytest.raises(ValueError, match='quantities'):
            function(torch.zeros(5, 2), torch.zeros(4, 2))
