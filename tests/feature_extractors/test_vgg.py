import pytest
import torch
from torchvision.models import vgg19

from leokit.registry import FEATURE_EXTRACTORS
from leokit.utils import UserError


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='VGG19Features', **options))


@pytest.fixture(scope='module')
def twin():
    """torchvision's own network up to relu5_1, with weights that keep the activations' size."""
    generator = torch.Generator().manual_seed(0)
    layers = vgg19(weights=None, init_weights=False).features[:30]
    with torch.no_grad():
        for parameter in layers.parameters():
            spread = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    return layers.eval()


@pytest.fixture(scope='module')
def weights(twin, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'vgg.pth'
    state = {f'features.{key}': value for key, value in twin.state_dict().items()}
    torch.save({**state, 'classifier.0.weight': torch.zeros(2, 2)}, path)
    return path


@torch.no_grad()
def test_maps_are_those_of_torchvision(twin, weights):
    extractor = build(weights=str(weights))
    images = torch.rand(2, 3, 32, 48) * 2 - 1
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    maps = extractor.pyramid(images)
    for feature, last, channels, stride in zip(
            maps, (1, 6, 11, 20, 29), (64, 128, 256, 512, 512), (1, 2, 4, 8, 16), strict=True):
        assert feature.shape == (2, channels, 32 // stride, 48 // stride)
        expected = twin[:last + 1](((images + 1) / 2 - mean) / std)
        torch.testing.assert_close(feature, expected, atol=1e-4, rtol=1e-4)  # activations are about 1
    assert min(feature.min() for feature in maps) >= 0
    torch.testing.assert_close(extractor(images), maps[-1].mean(dim=(2, 3)))
    assert extractor(images).shape == (2, extractor.dim)


def test_resize_is_in_the_label(weights):
    assert build(weights=weights).label == 'vgg19'
    assert build(weights=weights, resize=32).label == 'vgg19_32'


def test_gradients_reach_the_images_and_no_weight(weights):
    extractor = build(weights=weights).train()
    images = torch.rand(1, 3, 16, 16, requires_grad=True)
    sum(feature.mean() for feature in extractor.pyramid(images)).backward()
    assert images.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in extractor.parameters())


def test_missing_weights_name_source_and_path(monkeypatch, tmp_path):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(tmp_path))
    with pytest.raises(UserError, match=f'get it from https://download.pytorch.org/.* put it at {tmp_path}'):
        build(download=False)
    with pytest.raises(UserError, match='nowhere.pth does not exist'):
        build(weights='nowhere.pth')


def test_another_file_under_the_published_name_is_refused(monkeypatch, weights):
    monkeypatch.setenv('LEOKIT_WEIGHTS', str(weights.parent))
    (weights.parent / 'vgg19-dcbb9e9d.pth').write_bytes(weights.read_bytes())
    with pytest.raises(UserError, match='vgg19-dcbb9e9d.pth is not the expected file'):
        build()


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({'features.0.weight': torch.zeros(64, 3, 3, 3)}, tmp_path / 'a.pth')
    with pytest.raises(UserError, match='features.0.bias is missing'):
        build(weights=tmp_path / 'a.pth')
    torch.save({'features.0.weight': torch.zeros(8, 3, 3, 3)}, tmp_path / 'b.pth')
    with pytest.raises(UserError, match=r'features.0.weight is of shape \(8, 3, 3, 3\)'):
        build(weights=tmp_path / 'b.pth')
