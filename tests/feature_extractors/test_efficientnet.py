import pytest
import timm
import torch
from feature_extractors.photographs import photograph
from torch import nn

from leokit.feature_extractors import efficientnet
from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='EfficientNetLite0Features', **options))


@pytest.fixture(scope='module')
def extractor():
    return build()


@pytest.mark.parametrize('name, classes', [
    ('chelsea', {281, 282, 285}),  # tabby, tiger cat, Egyptian cat
    ('coffee', {967}),  # espresso
    ('rocket', {657}),  # missile
])
@torch.no_grad()
def test_recognizes_real_photographs(extractor, name, classes):
    probabilities = extractor.classify(photograph(name)).softmax(dim=1)[0]
    assert probabilities.argmax().item() in classes
    assert probabilities[list(classes)].sum() > 0.2


@pytest.fixture(scope='module')
def original():
    """timm's network with the weights of the package."""
    network = timm.create_model(efficientnet.ARCHITECTURE, pretrained=False)
    tensors = torch.load(efficientnet.shipped_weights(), weights_only=True).values()
    network.load_state_dict(dict(zip(network.state_dict(), tensors)))
    return network.eval()


@torch.no_grad()
def test_pixel_range_is_that_of_the_training(extractor, original):
    # With the mean and deviation of torchvision's networks, activations are 0.29 deviations off the stored means.
    offsets = []

    def record(layer, inputs, _):
        spread = (layer.running_var + layer.eps).sqrt()
        offsets.append(((inputs[0].mean(dim=(0, 2, 3)) - layer.running_mean) / spread).abs().mean())

    layers = [layer for layer in original.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_hook(record) for layer in layers]
    images = torch.cat([photograph(name) for name in ('astronaut', 'chelsea', 'coffee', 'rocket')])
    original(images * extractor.scale + extractor.shift)
    for hook in hooks:
        hook.remove()
    assert sum(offsets) / len(offsets) < 0.25
    assert {layer.eps for layer in layers} == {1e-3}


@pytest.mark.parametrize('height, width', [(64, 64), (33, 50)])
def test_features_and_gradients_are_those_of_timm(extractor, original, height, width):
    images = (torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1).requires_grad_()
    twin = images.detach().clone().requires_grad_()
    pixels = twin * extractor.scale + extractor.shift
    maps, wanted = extractor.pyramid(images), original.forward_intermediates(pixels, indices=5, intermediates_only=True)
    sum(feature.abs().mean() for feature in maps).backward()
    sum(feature.abs().mean() for feature in wanted).backward()
    with torch.no_grad():
        pairs = [*zip(maps, wanted, strict=True), (images.grad, twin.grad),
                 (extractor(images), original.forward_features(pixels).mean((2, 3)))]
        # of whole maps: rounding puts single activations on the other side of a kink
        assert all((a - b).norm() < 1e-4 * b.norm() for a, b in pairs)


@pytest.mark.parametrize('height, width', [(64, 64), (33, 50)])
def test_pyramid_of_any_size(extractor, height, width):
    images = torch.rand(2, 3, height, width) * 2 - 1
    maps = extractor.pyramid(images)
    for stride, channels, feature in zip((2, 4, 8, 16, 32), (16, 24, 40, 112, 320), maps, strict=True):
        assert feature.shape == (2, channels, -(-height // stride), -(-width // stride))
    assert extractor(images).shape == (2, extractor.dim)


def test_gradients_reach_the_images_and_no_weight(extractor):
    images = torch.zeros(1, 3, 32, 32, requires_grad=True)
    sum(feature.abs().mean() for feature in extractor.pyramid(images)).backward()
    assert images.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in extractor.parameters())


@torch.no_grad()
def test_autocast_holds_for_the_pyramid_and_not_for_the_features(extractor):
    images = photograph('coffee', 64)
    plain = extractor(images)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert extractor.pyramid(images)[0].dtype == torch.bfloat16
        assert torch.equal(extractor(images), plain)


@torch.no_grad()
def test_features_do_not_depend_on_the_batch(extractor):
    a, b = photograph('coffee', 64), photograph('chelsea', 64)
    torch.testing.assert_close(extractor(torch.cat((a, b)))[:1], extractor(a), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_resize_is_in_the_label(extractor):
    resizing = build(resize=64)
    assert (extractor.label, resizing.label) == ('efficientnet_lite0', 'efficientnet_lite0_64')
    images = photograph('coffee', 64)
    assert torch.equal(resizing(images), extractor(images))
    assert resizing.pyramid(photograph('coffee', 128))[0].shape[-1] == 32
    assert resizing.fingerprint() == extractor.fingerprint()
    with pytest.raises(ValueError, match='resize'):
        build(resize=0)


@pytest.mark.slow
def test_compiles_in_one_graph(extractor):
    torch._dynamo.reset()
    compiled = torch.compile(extractor.pyramid, fullgraph=True, backend='eager')
    images = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(compiled(images), extractor.pyramid(images))


def test_weights_are_in_the_package(extractor, monkeypatch, tmp_path):
    monkeypatch.setattr(efficientnet, 'PACKAGE', 'no_such_package')
    with pytest.raises(UserError, match=r'leokit\[perceptual\]'):
        build()
    monkeypatch.setattr(efficientnet, 'shipped_weights', lambda: tmp_path / 'other.pth')
    torch.save({'weight': torch.zeros(3)}, tmp_path / 'other.pth')
    with pytest.raises(UserError, match='does not hold the tensors'):
        build()


def test_refuses_other_shapes(extractor):
    with pytest.raises(ValueError, match='images must have shape'):
        extractor(torch.zeros(1, 1, 32, 32))
