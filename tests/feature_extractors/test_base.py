import math

import torch
from torch import nn

from leokit.feature_extractors import Detected, FeatureExtractor
from leokit.feature_extractors.base import full_precision


class Toy(FeatureExtractor):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.freeze()


def test_missing_rate():
    found = torch.tensor([True, False, True, True])
    assert Detected(torch.zeros(4, 2), found).missing_rate == 0.25
    assert Detected(torch.zeros(0, 2), found[:0]).missing_rate == 0


def test_a_mean_over_undetected_rows_is_not_a_number():
    values = torch.full((2, 3), math.nan)
    values[0] = 1
    assert torch.isnan(Detected(values, torch.tensor([True, False])).values.mean())


def test_stays_frozen():
    toy = nn.Sequential(Toy()).train()[0]
    assert not toy.training and not toy.layer.training
    assert not toy.layer.weight.requires_grad


def test_the_fingerprint_depends_on_the_weights():
    toy = Toy()
    before = toy.fingerprint()
    assert len(before) == 64 and toy.fingerprint() == before
    toy.layer.weight.add_(1)
    assert toy.fingerprint() != before


def test_full_precision_switches_autocast_off():
    with torch.autocast('cpu', dtype=torch.bfloat16):
        with full_precision(torch.device('cpu')):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_full_precision_does_without_tf32():
    torch.set_float32_matmul_precision('high')  # as a training does
    try:
        with full_precision(torch.device('cpu')):
            assert torch.get_float32_matmul_precision() == 'highest'
        assert torch.get_float32_matmul_precision() == 'high'
    finally:
        torch.set_float32_matmul_precision('highest')
