"""The perceptual loss of crops, against the perceptual loss of slices of the image."""

import pytest
import support.tiny_extractors  # noqa: F401  registers small feature extractors
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from leokit.losses import FaceCropPerceptualLoss, FaceRegionLoss, PerceptualLoss
from leokit.nn.face_regions import boxes_to_maps, region_crops, region_masks

NAN = (float('nan'),) * 4
BACKBONE = dict(type='EfficientNetLite0Features')
# squares of 32 x 32 pixels of a 96 x 96 image
MOUTH, RIGHT, LEFT, FACE = BOXES = [(1 / 3, 2 / 3, 2 / 3, 1.0), (0.0, 0.0, 1 / 3, 1 / 3), (2 / 3, 0.0, 1.0, 1 / 3),
                                    (1 / 3, 1 / 3, 2 / 3, 2 / 3)]
PLACES = [(slice(64, 96), slice(32, 64)), (slice(0, 32), slice(0, 32)), (slice(0, 32), slice(64, 96)),
          (slice(32, 64), slice(32, 64))]


def frames(count=1):
    return torch.rand(2, count, 3, 96, 96, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).unbind()


def maps(*pairs):
    return boxes_to_maps(torch.tensor(pairs or [BOXES], dtype=torch.float64)).float()


def distance(driving, prediction, row, scales=1):
    where = (slice(None), slice(None), *PLACES[row])
    return PerceptualLoss(BACKBONE, num_scales=scales)(prediction[where], driving[where])


@pytest.mark.parametrize('parts, rows', [
    (('mouth',), [0]), (('mouth', 'eyes'), [0, 1, 2]), (('face', 'eyes'), [3, 1, 2])])
def test_it_is_the_mean_over_the_crops(parts, rows):
    driving, prediction = frames()
    value = FaceCropPerceptualLoss(BACKBONE, parts=parts, crop_size=32)(driving, prediction, maps())
    expected = torch.stack([distance(driving, prediction, row) for row in rows]).mean()
    torch.testing.assert_close(value, expected, rtol=1e-3, atol=0)


def test_regions_that_were_not_found_count_as_zero():
    driving, prediction = frames(2)
    prediction.requires_grad_()
    loss = FaceCropPerceptualLoss(BACKBONE, parts=('mouth',), crop_size=32)
    value = loss(driving, prediction, maps(BOXES, [NAN, *BOXES[1:]]))
    torch.testing.assert_close(value, distance(driving[:1], prediction[:1], 0) / 2, rtol=1e-3, atol=0)
    value.backward()
    assert prediction.grad.isfinite().all() and (prediction.grad[1] == 0).all() and prediction.grad[0].abs().sum() > 0


def test_scales_and_layer_weights_are_those_of_the_perceptual_loss():
    driving, prediction = frames()
    whole = maps([(0.0, 0.0, 2 / 3, 2 / 3)] * 4)
    loss = FaceCropPerceptualLoss(BACKBONE, parts=('mouth',), crop_size=64)
    expected = PerceptualLoss(BACKBONE, num_scales=2)(prediction[..., :64, :64], driving[..., :64, :64])
    torch.testing.assert_close(loss(driving, prediction, whole), expected, rtol=1e-3, atol=0)
    count = len(loss.backbone.pyramid(driving))
    none = FaceCropPerceptualLoss(BACKBONE, parts=('mouth',), layer_weights=(0.0,) * count)
    assert none(driving, prediction, whole) == 0


def test_only_the_prediction_has_a_gradient():
    driving, prediction = (image.requires_grad_() for image in frames())
    FaceCropPerceptualLoss(BACKBONE)(driving, prediction, maps()).backward()
    assert driving.grad is None and prediction.grad.abs().sum() > 0


def test_wrong_arguments():
    with pytest.raises(ValueError, match='parts must name parts of a face'):
        FaceCropPerceptualLoss(BACKBONE, parts=('nose',))
    with pytest.raises(ValueError, match=r'crop_size must be at least min_resolution \(32\), got 31'):
        FaceCropPerceptualLoss(BACKBONE, crop_size=31)
    assert FaceCropPerceptualLoss(BACKBONE, crop_size=32).crops.size == 32


class OnTheDevice(TorchDispatchMode):
    """Fails where an operation takes a tensor from another device, or a value from a tensor."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for one in tree_leaves((args, kwargs or {})):
            assert not isinstance(one, torch.Tensor) or one.device.type == 'meta' or one.ndim == 0, function
        assert 'local_scalar' not in str(function) and 'nonzero' not in str(function)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize('loss', [FaceRegionLoss(), FaceCropPerceptualLoss(dict(type='TinyImageFeatures'))])
def test_losses_fit_a_cuda_graph(loss):
    """They neither copy from the CPU nor wait for a value."""
    loss = loss.to('meta')
    images = [torch.empty(2, 3, 96, 96, device='meta') for _ in range(2)]
    regions = torch.empty(2, 4, 2, 3, device='meta')
    images[1].requires_grad_()
    with OnTheDevice():
        value = loss(*images, regions)
        gradient, = torch.autograd.grad(value, images[1])
    assert value.shape == () and gradient.shape == images[1].shape and not loss.state_dict()


@pytest.mark.parametrize('loss', [FaceRegionLoss(), FaceCropPerceptualLoss(BACKBONE, crop_size=32)])
def test_autocast_does_not_move_the_regions(loss):
    """Only the features are computed in half precision."""
    driving, prediction = frames()
    regions = maps()
    crops, masks = region_crops(driving, regions, 40), region_masks(regions, 96, 96)
    with torch.autocast('cpu', torch.bfloat16):
        value = loss(driving, prediction, regions)
        assert torch.equal(region_crops(driving, regions, 40), crops)
        assert torch.equal(region_masks(regions, 96, 96), masks)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(driving, prediction, regions), rtol=2e-2, atol=0)
