import torch

from leokit.metrics.linear_probe import linear_probe


def test_linear_targets_are_read_and_independent_ones_are_not():
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
