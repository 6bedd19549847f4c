import torch

from leokit.datasets.transforms import PairedFlip


def test_samples_are_flipped_or_unchanged():
    images = torch.rand(50, 3, 4, 7)
    out = PairedFlip()(dict(a=images), torch.Generator().manual_seed(0))['a']
    flipped = (out == images.flip(-1)).flatten(1).all(1)
    assert torch.equal(flipped, ~(out == images).flatten(1).all(1))
    assert 10 < flipped.sum() < 40
    assert torch.equal(PairedFlip(probability=1)(dict(a=images))['a'], images.flip(-1))
