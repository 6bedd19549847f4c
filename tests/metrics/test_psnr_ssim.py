import math

import numpy as np
import pytest
import torch

from leokit.metrics import l1_distance, psnr, ssim

SSIM_BY_SCIKIT_IMAGE = (0.6200817114833862, 0.6778511553387437)  # version 0.26, on images(0)


def images(seed, sides=(23, 31)):
    """Smooth images in [-1, 1], and the same with noise."""
    random = np.random.RandomState(seed)
    clean = np.cumsum(np.cumsum(random.standard_normal((2, 3, *sides)), axis=2), axis=3)
    clean = clean / np.abs(clean).max()
    noisy = np.clip(clean + 0.1 * random.standard_normal(clean.shape), -1, 1)
    return torch.from_numpy(clean), torch.from_numpy(noisy)


def test_hand_computed_l1_and_psnr():
    black, gray = torch.full((1, 3, 4, 4), -1.0), torch.zeros(1, 3, 4, 4)
    assert l1_distance(black, gray).tolist() == [0.5]
    assert psnr(black, gray).tolist() == pytest.approx([20 * math.log10(2)])
    assert psnr(gray, gray).tolist() == [math.inf]


def test_one_value_for_each_image_of_the_batch():
    clean, noisy = images(0)
    for function in (l1_distance, psnr, ssim):
        together = function(clean, noisy)
        assert together.dtype == torch.float64 and together.shape == (2,)
        assert float(together[1]) == pytest.approx(float(function(clean[1:], noisy[1:])), rel=1e-12)


def test_values_outside_the_range_are_clamped():
    clean, _ = images(0)
    assert l1_distance(clean * 10, clean.sign()).max() < l1_distance(clean, clean.sign()).max()
    assert l1_distance(torch.full_like(clean, 7), torch.ones_like(clean)).tolist() == [0, 0]


def test_ssim_of_equal_and_inverted_images():
    clean, _ = images(1)
    assert ssim(clean, clean).tolist() == pytest.approx([1, 1])
    assert ssim(clean, -clean).max() < 0.5


@pytest.mark.parametrize('seed', [0, 5])
def test_ssim_agrees_with_scikit_image(seed):
    metrics = pytest.importorskip('skimage.metrics', reason='scikit-image is not installed')
    clean, noisy = images(seed)
    for number, value in enumerate(ssim(clean, noisy).tolist()):
        expected = metrics.structural_similarity(
            ((clean[number] + 1) / 2).numpy(), ((noisy[number] + 1) / 2).numpy(), data_range=1, channel_axis=0,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
        assert value == pytest.approx(expected, abs=1e-12)


def test_ssim_value_of_scikit_image():
    clean, noisy = images(0)
    assert ssim(clean, noisy).tolist() == pytest.approx(SSIM_BY_SCIKIT_IMAGE, abs=1e-9)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match='at least 11 pixels'):
        ssim(torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 20))
    with pytest.raises(ValueError, match='target must have shape'):
        l1_distance(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))


def test_the_smallest_images():
    """11 x 11 pixels are one window; of constant images the terms of variance cancel."""
    black, gray = torch.full((1, 3, 11, 11), -1.0), torch.zeros(1, 3, 11, 11)
    assert ssim(black, gray).tolist() == pytest.approx([1e-4 / (0.25 + 1e-4)])
    for shape in ((1, 3, 11, 10), (1, 3, 10, 11)):
        with pytest.raises(ValueError, match='at least 11 pixels'):
            ssim(torch.zeros(shape), torch.zeros(shape))
    with pytest.raises(ValueError, match='prediction must have shape'):
        ssim(torch.zeros(3, 11, 11), torch.zeros(3, 11, 11))


def test_a_power_of_ten_of_the_error_is_ten_decibels():
    gray = torch.zeros(1, 3, 4, 4)
    values = [float(psnr(gray, gray + 2 * 10 ** (-exponent / 2))) for exponent in (1, 2, 3)]
    assert values == pytest.approx([10, 20, 30], abs=1e-4)
    half = gray.clone()
    half[..., :2] = 0.2
    assert l1_distance(gray, half).tolist() == pytest.approx([0.05])
