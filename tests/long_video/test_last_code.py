import torch

from leokit.long_video import LastCode


def test_it_corrects_nothing():
    rule = LastCode()
    assert (rule.codes, rule.held_back) == (1, 0) and rule.weights().tolist() == [1]
    assert rule.correction(torch.zeros(2, 1, 3), torch.ones(3)) is None
