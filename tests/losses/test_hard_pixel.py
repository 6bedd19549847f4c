import pytest
import torch

from leokit.registry import LOSSES
from leokit.utils import UserError


def test_only_the_worst_pixels_of_every_picture_count():
    loss = LOSSES.build(dict(type='HardPixelLoss', share=0.25))
    target = torch.zeros(2, 3, 2, 2)
    prediction = target.clone().requires_grad_()
    with torch.no_grad():
        prediction[0, :, 0, 0], prediction[0, :, 1, 1], prediction[1, 0, 1, 0] = 0.6, 0.2, 0.9
    value = loss(prediction, target)
    assert value.item() == pytest.approx((0.6 + 0.3) / 2)  # one pixel of four each; channels are averaged
    value.backward()
    assert (prediction.grad[0].abs().sum(0) > 0).tolist() == [[True, False], [False, False]]
    assert (loss.name, loss.weight) == ('hard', 1.0)


def test_all_pixels_are_the_mean_absolute_difference():
    a, b = torch.rand(2, 2, 3, 8, 8)
    whole = LOSSES.build(dict(type='HardPixelLoss', share=1.0))(a.bfloat16(), b)
    assert whole.dtype == torch.float32
    torch.testing.assert_close(whole, LOSSES.build(dict(type='L1Loss'))(a.bfloat16(), b))


@pytest.mark.parametrize('share', [0, -0.1, 1.5])
def test_shares_out_of_range_are_refused(share):
    with pytest.raises(UserError, match='share of HardPixelLoss'):
        LOSSES.build(dict(type='HardPixelLoss', share=share))
