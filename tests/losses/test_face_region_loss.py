"""The loss on regions, against sums over pixels by hand."""

import pytest
import torch

from leokit.losses import FaceRegionLoss
from leokit.models import Animator
from leokit.nn.face_regions import boxes_to_maps
from leokit.utils import UserError

NAN = (float('nan'),) * 4
# pixels of a 16 x 16 image: mouth 8 x 2, right eye 4 x 1, left eye 2 x 2
BOXES = [(0.25, 0.75, 0.75, 0.875), (0.125, 0.25, 0.375, 0.3125), (0.625, 0.25, 0.75, 0.375), (0.0, 0.0, 1.0, 1.0)]


def regions(*pairs):
    return boxes_to_maps(torch.tensor(pairs or [BOXES]))


def black(count=1):
    return torch.zeros(count, 3, 16, 16)


def test_a_region_is_averaged_over_its_own_pixels():
    loss = FaceRegionLoss()
    for place, expected in (((slice(12, 14), slice(4, 12)), 1.0), ((4, slice(2, 6)), 0.5),
                            ((slice(4, 6), slice(10, 12)), 0.5), ((12, 4), 1 / 16), ((4, 2), 0.5 / 4), ((0, 0), 0.0)):
        wrong = black()
        wrong[(0, slice(None), *place)] = -1.0
        assert float(loss(black(), wrong, regions())) == pytest.approx(expected)
        wrong[0, 1:] = 0  # in one of three channels
        assert float(loss(black(), wrong, regions())) == pytest.approx(expected / 3)


def test_any_pair_by_brute_force():
    generator = torch.Generator().manual_seed(0)
    driving, prediction = (torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1 for _ in range(2))
    expected = 0.0
    for pair in range(2):
        for (rows, columns), factor in (((slice(12, 14), slice(4, 12)), 1.0), ((slice(4, 5), slice(2, 6)), 0.5),
                                        ((slice(4, 6), slice(10, 12)), 0.5)):
            pixels = prediction[pair, :, rows, columns] - driving[pair, :, rows, columns]
            expected += factor * float(pixels.abs().mean()) / 2
    assert float(FaceRegionLoss()(driving, prediction, regions(BOXES, BOXES))) == pytest.approx(expected)


def test_weights_of_the_parts():
    everywhere = black() + 0.5
    for weights, expected in ((dict(mouth=2.0), 1.0), (dict(eyes=3.0), 1.5), (dict(face=1.0), 0.5),
                              (dict(mouth=1.0, eyes=0.2, face=0.1), 0.65), (dict(mouth=0.0), 0.0)):
        assert float(FaceRegionLoss(weights=weights)(black(), everywhere, regions())) == pytest.approx(expected)


def test_pairs_without_a_region_count_as_zero_in_the_average():
    everywhere = black(4) + 1.0
    several = regions(BOXES, [NAN] * 4, [BOXES[0], NAN, NAN, NAN], [NAN, BOXES[1], NAN, NAN])
    # mouth + eyes = 2, nothing, mouth = 1, one of two eyes = 1/2
    assert float(FaceRegionLoss()(black(4), everywhere, several)) == pytest.approx((2 + 0 + 1 + 0.5) / 4)
    prediction = everywhere.clone().requires_grad_()
    FaceRegionLoss()(black(4), prediction, several).backward()
    assert prediction.grad.isfinite().all() and (prediction.grad[1] == 0).all()
    # 1 / (4 pairs, 3 channels, 16 pixels) at the mouth, 1/2 of 1 / (4, 3, 4) at the eye
    assert prediction.grad[2, :, 13, 5].tolist() == pytest.approx([1 / 192] * 3)
    assert prediction.grad[3, :, 4, 3].tolist() == pytest.approx([1 / 96] * 3)
    assert (prediction.grad[2, :, 4, 3] == 0).all()


def test_only_the_prediction_has_a_gradient():
    driving, prediction = torch.rand(1, 3, 16, 16, requires_grad=True), torch.rand(1, 3, 16, 16, requires_grad=True)
    FaceRegionLoss()(driving, prediction, regions()).backward()
    assert driving.grad is None and prediction.grad.abs().sum() > 0


def test_half_precision():
    driving, prediction = (torch.rand(2, 3, 16, 16).bfloat16() for _ in range(2))
    value = FaceRegionLoss()(driving, prediction, regions(BOXES, BOXES))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, FaceRegionLoss()(driving.float(), prediction.float(), regions(BOXES, BOXES)))


def test_it_is_not_saved_and_moves():
    loss = FaceRegionLoss()
    assert not loss.state_dict() and loss.double().factors.dtype == torch.float64


@pytest.mark.parametrize('weights', [dict(), dict(nose=1.0)])
def test_unknown_parts(weights):
    with pytest.raises(ValueError, match='weights must name parts of a face'):
        FaceRegionLoss(weights=weights)


def test_negative_weights():
    with pytest.raises(ValueError, match='weights must not be negative'):
        FaceRegionLoss(weights=dict(mouth=1.0, eyes=-1.0))


def animator():
    return Animator(32, 16, motion_dim=4, max_channels=8, training=dict(losses=[dict(type='FaceRegionLoss')]))


def test_the_animator_passes_the_regions():
    model, (source, driving) = animator(), torch.rand(2, 2, 3, 32, 32).unbind()
    maps = regions(BOXES, BOXES)
    terms = model(dict(source=source, driving=driving, regions=maps), mode='loss')
    expected = FaceRegionLoss()(driving, model.transfer(source, driving).frames, maps)
    torch.testing.assert_close(terms['loss_regions'], expected)
    terms['loss_regions'].backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters() if weight.grad is not None)


def test_without_regions_the_error_says_where_they_come_from():
    source, driving = torch.rand(2, 2, 3, 32, 32).unbind()
    with pytest.raises(UserError, match="'regions' needs regions of the faces; write them with `leokit data regions`"):
        animator()(dict(source=source, driving=driving), mode='loss')
