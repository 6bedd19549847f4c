import torch

from leokit.registry import LOSSES


def test_mean_absolute_difference():
    loss = LOSSES.build(dict(type='L1Loss', weight=3.0))
    prediction, target = torch.tensor([[-1.0, 0.5], [0.0, 1.0]]), torch.tensor([[1.0, 0.5], [0.5, 0.0]])
    assert loss(prediction, target).item() == (2 + 0 + 0.5 + 1) / 4  # the weight is the caller's to apply
    assert (loss.name, loss.weight) == ('l1', 3.0)


def test_the_loss_is_float32():
    loss = LOSSES.build(dict(type='L1Loss'))
    value = loss(torch.zeros(2, 3, 4, 4, dtype=torch.bfloat16), torch.full((2, 3, 4, 4), 1 / 3))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, torch.tensor(1 / 3))
