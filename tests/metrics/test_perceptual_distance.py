import sys

import pytest
import torch

from leokit.metrics import build_lpips, perceptual_distance
from leokit.metrics.perceptual_distance import lpips_distance, lpips_weights_path
from leokit.utils import UserError


def images(seed):
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_zero_for_equal_images_and_growing_with_the_difference(tiny_image):
    x, y = images(0), images(1)
    extractor = tiny_image
    assert perceptual_distance(extractor, x, x).tolist() == [0, 0, 0]
    near, far = perceptual_distance(extractor, x, 0.9 * x + 0.1 * y), perceptual_distance(extractor, x, y)
    assert near.shape == (3,) and bool((near < far).all()) and bool((far <= 2).all())


def test_hand_computed_distance_of_one_pixel_maps():
    class Plain:
        def pyramid(self, images):
            return [images]

    red, green = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), torch.tensor([0, 0.5, 0]).view(1, 3, 1, 1)
    assert perceptual_distance(Plain(), red, green).tolist() == pytest.approx([2**0.5])  # independent of the length
    assert perceptual_distance(Plain(), red, 0.2 * red).tolist() == pytest.approx([0])


def test_the_value_of_a_pair_does_not_depend_on_its_batch(tiny_image):
    x, y = images(0), images(1)
    together = perceptual_distance(tiny_image, x, y)
    alone = perceptual_distance(tiny_image, x[2:], y[2:])
    assert float(together[2]) == pytest.approx(float(alone[0]), rel=1e-6)


def test_an_extractor_without_a_pyramid_is_refused():
    with pytest.raises(UserError, match='no feature pyramid'):
        perceptual_distance(torch.nn.Identity(), images(0), images(1))


def test_missing_lpips_weights_give_one_sentence(monkeypatch):
    lpips = pytest.importorskip('lpips', reason='lpips is not installed')

    def refuse(*arguments, **options):
        raise OSError('no network')

    monkeypatch.setattr(lpips, 'LPIPS', refuse)
    with pytest.raises(UserError, match='alexnet-owt-7be5be79.pth.*could not be downloaded') as caught:
        build_lpips()
    assert '\n' not in str(caught.value)


def test_missing_lpips_package_gives_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, 'lpips', None)
    with pytest.raises(UserError, match='pip install lpips'):
        build_lpips()


def test_lpips_with_its_weights():
    pytest.importorskip('lpips', reason='lpips is not installed')
    if not lpips_weights_path().is_file():
        pytest.skip(f'the AlexNet weights are not at {lpips_weights_path()}')
    network = build_lpips()
    x = torch.nn.functional.interpolate(images(0), size=64)
    assert lpips_distance(network, x, x).abs().max() < 1e-6
    assert lpips_distance(network, x, -x).min() > 0.1


def test_lpips_distance_only_shapes_the_result_of_the_network():
    class Network(torch.nn.Module):
        def forward(self, x, y):
            return (x - y).abs().mean((1, 2, 3), keepdim=True)

    x = images(0)
    assert lpips_distance(Network(), x, x - 5).shape == (3,)
    assert lpips_distance(Network(), x * 0, x * 0 - 5).tolist() == [1, 1, 1]  # clamped to the range of images


def test_levels_are_averaged_and_images_clamped():
    """Two levels of two-channel maps: distances sqrt(2) and 0 over two positions, then sqrt(2)."""
    class Levels:
        def pyramid(self, images):
            assert images.min() >= -1 and images.max() <= 1
            return images[:, :2], images[:, 1:, :, :1]

    x = torch.tensor([[[3.0, 1]], [[0, 0]], [[1, 0]]])[None]  # (1, 3, 1, 2)
    y = torch.tensor([[[0.0, 1]], [[9, 0]], [[0, 0]]])[None]
    expected = ((2**0.5 + 0) / 2 + 2**0.5) / 2
    assert perceptual_distance(Levels(), x, y).tolist() == pytest.approx([expected])


def test_pairs_of_other_shapes_are_refused(tiny_image):
    for distance in (perceptual_distance, lpips_distance):
        with pytest.raises(ValueError, match='target must have shape'):
            distance(tiny_image, images(0), images(1)[:1])


@pytest.mark.parametrize('net', ['alex', 'vgg'])
def test_lpips_is_version_0_1_and_frozen(monkeypatch, net):
    lpips = pytest.importorskip('lpips', reason='lpips is not installed')
    monkeypatch.setattr(lpips, 'LPIPS', lambda **options: torch.nn.ModuleDict(
        {f'{key}={value}'.replace('.', ','): torch.nn.Linear(1, 1) for key, value in options.items()}))
    network = build_lpips(net)
    assert list(network) == [f'net={net}', 'version=0,1', 'verbose=False'] and not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
    with pytest.raises(ValueError, match="one of .'alex', 'vgg'., got 'squeeze'"):
        build_lpips('squeeze')
