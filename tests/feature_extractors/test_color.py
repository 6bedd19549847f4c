import numpy as np
import pytest
import torch

from leokit.registry import FEATURE_EXTRACTORS


def build(**options):
    return FEATURE_EXTRACTORS.build(dict(type='ColorStatistics', **options))


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_constant_color():
    image = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 5)
    features = build(bins=3)(image)[0]
    expected = [0, 0.5, 1] + [0, 0, 0] + [1, 0, 0] + [0, 1, 0] + [0, 0, 1]
    torch.testing.assert_close(features, torch.tensor(expected, dtype=torch.float32))


def test_a_value_between_two_bins_counts_for_both():
    image = torch.full((1, 3, 2, 2), -0.5)  # a quarter of the range, between the bins at 0 and at 1 / 2
    histogram = build(statistics=['histogram'], bins=3)(image).view(3, 3)
    torch.testing.assert_close(histogram, torch.tensor([0.5, 0.5, 0.0]).expand(3, 3))


def test_agrees_with_numpy():
    images = noise(3, 3, 8, 6)
    colors = (images.numpy() + 1) / 2
    mean, std, histogram = build(bins=5)(images).split((3, 3, 15), dim=1)
    np.testing.assert_allclose(mean, colors.mean(axis=(2, 3)), atol=1e-6)
    np.testing.assert_allclose(std, colors.std(axis=(2, 3)), atol=1e-6)
    for sample in range(3):
        for channel in range(3):
            position = colors[sample, channel].ravel() * 4
            low, share = np.floor(position).astype(int), position % 1
            expected = np.zeros(6)
            np.add.at(expected, low, 1 - share)
            np.add.at(expected, low + 1, share)
            got = histogram.view(3, 3, 5)[sample, channel]
            np.testing.assert_allclose(got, expected[:5] / position.size, atol=1e-6)


def test_positions_do_not_matter_and_histograms_sum_to_one():
    images = noise(2, 3, 4, 4)
    extractor = build()
    shuffled = images.flatten(2)[:, :, torch.randperm(16)].view_as(images)
    torch.testing.assert_close(extractor(shuffled), extractor(images))
    histograms = extractor(images)[:, 6:].view(2, 3, 16)
    torch.testing.assert_close(histograms.sum(dim=2), torch.ones(2, 3))


def test_average_color_alone():
    extractor = build(statistics=('mean',))
    assert (extractor.dim, extractor.label, extractor.kind) == (3, 'color_mean', 'image')
    assert extractor(noise(2, 3, 4, 4)).shape == (2, 3)


def test_variants_have_labels_and_fingerprints_of_their_own():
    variants = [build(), build(bins=8), build(statistics=('mean', 'std'))]
    assert [variant.dim for variant in variants] == [54, 30, 6]
    assert len({variant.label for variant in variants}) == len({variant.fingerprint() for variant in variants}) == 3


@pytest.mark.parametrize('options', [
    dict(statistics=()), dict(statistics=('median',)), dict(statistics=('mean', 'mean')), dict(bins=1)])
def test_refuses_bad_options(options):
    with pytest.raises(ValueError):
        build(**options)


@pytest.mark.parametrize('shape', [(1, 4, 5, 5), (3, 5, 5)])
def test_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r'images must have shape \(\*, 3, \*, \*\)'):
        build()(torch.zeros(shape))
