import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from leokit.feature_extractors import FeatureExtractor
from leokit.losses import FaceCropPerceptualLoss, PerceptualLoss
from leokit.losses.perceptual_loss import shared_networks
from leokit.registry import FEATURE_EXTRACTORS

EFFICIENTNET = dict(type='EfficientNetLite0Features')


@FEATURE_EXTRACTORS.register_module()
class TinyPyramid(FeatureExtractor):
    """Two maps that can be computed by hand: the image doubled, and its channel mean at half size."""

    kind, dim, label = 'image', 3, 'tiny'

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.freeze()

    def pyramid(self, images):
        return images * self.factor, F.avg_pool2d(images, 2).mean(dim=1, keepdim=True)


@FEATURE_EXTRACTORS.register_module()
class FlatFeatures(FeatureExtractor):
    kind, dim, label = 'image', 3, 'flat'


@pytest.fixture(scope='module')
def loss():
    return PerceptualLoss(EFFICIENTNET)


def picture(size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, 3, 8, 8, generator=generator) * 2 - 1
    return F.interpolate(coarse, (size, size), mode='bilinear')


def test_sums_over_maps_and_scales():
    prediction, target = picture(16), picture(16, seed=1)
    half = F.avg_pool2d(prediction, 2), F.avg_pool2d(target, 2)

    def distance(a, b):
        small = F.avg_pool2d(a, 2).mean(dim=1), F.avg_pool2d(b, 2).mean(dim=1)
        return 2 * (a - b).abs().mean() + 0.5 * (small[0] - small[1]).abs().mean()

    tiny = dict(type='TinyPyramid')
    one = PerceptualLoss(tiny, num_scales=1, min_resolution=8, layer_weights=(1, 0.5))
    several = PerceptualLoss(tiny, num_scales=4, min_resolution=8, layer_weights=(1, 0.5))
    torch.testing.assert_close(one(prediction, target), distance(prediction, target))
    # the third scale would be 4 pixels wide, less than min_resolution
    torch.testing.assert_close(several(prediction, target), distance(prediction, target) + distance(*half))


def test_zero_for_equal_images_and_growing_with_the_difference(loss):
    target = picture()
    blurred = F.interpolate(F.avg_pool2d(target, 4), (64, 64), mode='bilinear')
    assert loss(target, target) == 0
    assert 0 < loss(blurred, target) < loss(picture(seed=1), target)


@pytest.mark.parametrize('layout', [torch.channels_last, torch.contiguous_format])
def test_gradients_of_maps_have_their_layout(layout):
    loss, prediction, seen = PerceptualLoss(dict(type='TinyPyramid')), picture().requires_grad_(), []
    plain = loss.backbone.pyramid

    def pyramid(images):
        doubled, mean = plain(images)
        doubled = doubled.contiguous(memory_format=layout)
        if doubled.requires_grad:
            doubled.register_hook(seen.append)
        return doubled, mean
    loss.backbone.pyramid = pyramid
    value = loss(prediction, picture(seed=1))
    value.backward()
    assert len(seen) == 2 and all(gradient.is_contiguous(memory_format=layout) for gradient in seen)
    loss.backbone.pyramid = plain
    torch.testing.assert_close(value, loss(prediction, picture(seed=1)))


def test_only_the_prediction_gets_a_gradient(loss):
    prediction, target = picture(32).requires_grad_(), picture(32, seed=1).requires_grad_()
    loss(prediction, target).backward()
    assert prediction.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in loss.backbone.parameters())


def test_descending_it_recovers_the_target():
    loss = PerceptualLoss(EFFICIENTNET, num_scales=1)
    target, image = picture(32), torch.zeros(2, 3, 32, 32, requires_grad=True)
    optimizer = torch.optim.Adam([image], lr=0.05)
    before = F.l1_loss(image, target).item()
    for _ in range(15):
        optimizer.zero_grad()
        loss(image, target).backward()
        optimizer.step()
    assert F.l1_loss(image.detach(), target).item() < 0.8 * before


def test_the_network_is_not_a_submodule_but_moves_along():
    loss = PerceptualLoss(dict(type='TinyPyramid'))
    model = nn.ModuleList([loss])
    assert not model.state_dict() and not list(model.parameters()) and not list(model.buffers())
    model.double().train()
    assert loss.backbone.factor.dtype == torch.float64 and not loss.backbone.training
    copied = copy.deepcopy(model)[0]
    assert copied.backbone is not loss.backbone
    copied.to('meta')
    assert copied.backbone.factor.is_meta and not loss.backbone.factor.is_meta


def test_autocast(loss):
    prediction, target = picture(), picture(seed=1)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(prediction, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(prediction, target), rtol=0.05, atol=0)


def test_compiles_in_one_graph():
    loss = PerceptualLoss(dict(type='TinyPyramid'), min_resolution=8)
    prediction, target = picture(32), picture(32, seed=1)
    torch._dynamo.reset()
    expected = loss(prediction, target)
    loss.compile(fullgraph=True, backend='eager')
    torch.testing.assert_close(loss(prediction, target), expected)


@pytest.mark.slow
def test_compiles_in_one_graph_with_a_real_network(loss):
    prediction, target = picture().requires_grad_(), picture(seed=1)
    loss(prediction, target).backward()
    gradient, prediction.grad = prediction.grad, None
    torch._dynamo.reset()
    torch.compile(loss, fullgraph=True, backend='aot_eager')(prediction, target).backward()
    torch.testing.assert_close(prediction.grad, gradient)


def test_invalid_arguments_are_errors(loss):
    with pytest.raises(ValueError, match='the same shape'):
        loss(picture(32), picture(64))
    with pytest.raises(ValueError, match='FlatFeatures has no pyramid'):
        PerceptualLoss(dict(type='FlatFeatures'))
    with pytest.raises(ValueError, match='1 entries for 2 feature maps'):
        PerceptualLoss(dict(type='TinyPyramid'), layer_weights=[1.0])(picture(), picture())
    with pytest.raises(ValueError, match='num_scales'):
        PerceptualLoss(dict(type='TinyPyramid'), num_scales=0)


def test_the_shorter_side_ends_the_pyramid_and_maps_count_alike():
    """Two scales of 16 x 64 pixels: the third would be 4 pixels high. One scale at most where the limit is the size."""
    tiny, generator = dict(type='TinyPyramid'), torch.Generator().manual_seed(0)
    prediction, target = torch.rand(2, 1, 3, 16, 64, generator=generator)

    def distance(a, b):
        small = F.avg_pool2d(a, 2).mean(dim=1), F.avg_pool2d(b, 2).mean(dim=1)
        return 2 * (a - b).abs().mean() + (small[0] - small[1]).abs().mean()

    full, half = distance(prediction, target), distance(F.avg_pool2d(prediction, 2), F.avg_pool2d(target, 2))
    for least, expected in ((8, full + half), (9, full)):
        torch.testing.assert_close(PerceptualLoss(tiny, min_resolution=least)(prediction, target), expected)
    quarters = [F.avg_pool2d(image, 4) for image in (prediction, target)]
    torch.testing.assert_close(PerceptualLoss(tiny, num_scales=3, min_resolution=1)(prediction, target),
                               full + half + distance(*quarters))


def test_a_scale_and_a_pixel_are_the_least():
    with pytest.raises(ValueError, match='at least 1, got 4 and 0'):
        PerceptualLoss(dict(type='TinyPyramid'), min_resolution=0)


def test_losses_of_one_model_share_a_network_per_config():
    tiny = dict(type='TinyPyramid')
    with shared_networks():
        first, second = PerceptualLoss(tiny), FaceCropPerceptualLoss(dict(tiny))
        other = PerceptualLoss(dict(type='EfficientNetLite0Features', resize=32))
        same = PerceptualLoss(dict(type='EfficientNetLite0Features', resize=32))
        larger = PerceptualLoss(dict(type='EfficientNetLite0Features', resize=64))
    assert first.backbone is second.backbone
    assert other.backbone is same.backbone
    assert (other.backbone.resize, larger.backbone.resize) == (32, 64)
    with shared_networks():
        assert PerceptualLoss(tiny).backbone is not first.backbone
    assert PerceptualLoss(tiny).backbone is not PerceptualLoss(tiny).backbone


def test_a_shared_network_moves_and_is_copied_once():
    with shared_networks():
        model = nn.ModuleList([PerceptualLoss(dict(type='TinyPyramid')), PerceptualLoss(dict(type='TinyPyramid'))])
    copied = copy.deepcopy(model)
    model.double()
    assert {loss.backbone.factor.dtype for loss in model} == {torch.float64}
    assert copied[0].backbone is copied[1].backbone is not model[0].backbone
    assert copied[0].backbone.factor.dtype == torch.float32


def test_networks_are_not_shared_after_an_error():
    with pytest.raises(ValueError, match='no pyramid'), shared_networks():
        PerceptualLoss(dict(type='FlatFeatures'))
    assert PerceptualLoss(dict(type='TinyPyramid')).backbone is not PerceptualLoss(dict(type='TinyPyramid')).backbone
