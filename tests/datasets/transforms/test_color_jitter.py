import colorsys
import math

import pytest
import torch

from leokit.datasets.transforms import PairedColorJitter

NOTHING = dict(brightness=0, contrast=0, saturation=0, hue=0)


def jitter(images, seed=0, **strengths):
    return PairedColorJitter(**{**NOTHING, **strengths})(
        dict(a=images), torch.Generator().manual_seed(seed))['a']


def colors(count=64, scale=0.5):
    return (torch.rand(count, 3, 1, 1, generator=torch.Generator().manual_seed(5)) * 2 - 1) * scale


def test_zero_strengths_are_the_identity():
    torch.testing.assert_close(jitter(colors()), colors(), atol=1e-6, rtol=0)


def test_brightness_adds_one_number_per_sample():
    change = (jitter(colors(), brightness=0.3) - colors()).squeeze()
    torch.testing.assert_close(change, change[:, :1].expand(-1, 3))
    assert change.abs().max() <= 0.3 + 1e-6 and change[:, 0].std() > 0.1


def test_contrast_multiplies_about_mid_gray():
    factor = (jitter(colors(), contrast=0.4) / colors()).squeeze()
    torch.testing.assert_close(factor, factor[:, :1].expand(-1, 3), atol=1e-4, rtol=1e-4)
    assert 0.6 - 1e-4 <= factor.min() and factor.max() <= 1.4 + 1e-4 and factor[:, 0].std() > 0.1


def test_saturation_and_hue_preserve_gray():
    gray = torch.linspace(-0.9, 0.9, 16)[:, None, None, None].expand(16, 3, 1, 1)
    torch.testing.assert_close(jitter(gray, saturation=0.5, hue=0.5), gray, atol=1e-5, rtol=0)
    assert (jitter(colors(), saturation=0.5) - colors()).abs().max() > 0.1


def test_saturation_preserves_luminance():
    luma = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    changed = jitter(colors(), saturation=0.5)
    torch.testing.assert_close((changed * luma).sum(1), (colors() * luma).sum(1), atol=1e-5, rtol=0)


def test_hue_rotates_by_the_angle():
    red = torch.tensor([0.4, -0.2, -0.2])[None, :, None, None].repeat(200, 1, 1, 1)
    turned = jitter(red, hue=0.25).squeeze()
    hues = torch.tensor([colorsys.rgb_to_hsv(*((pixel + 1) / 2).tolist())[0] for pixel in turned])
    hues = (hues + 0.5) % 1 - 0.5
    assert 0.2 < hues.abs().max() <= 0.26 and hues.min() < -0.15 < 0.15 < hues.max()
    torch.testing.assert_close(turned.sum(1), torch.zeros(200), atol=1e-5, rtol=0)
    torch.testing.assert_close(turned.norm(dim=1), red[0].norm().expand(200))


def exponents(before, after):
    """Of pixel values in [0, 1], by position."""
    return ((after + 1) / 2).double().log() / ((before + 1) / 2).double().log()


def test_gamma_is_one_exponent_per_sample():
    images = torch.rand(300, 3, 4, 6, generator=torch.Generator().manual_seed(2)) * 1.6 - 0.8
    powers = exponents(images, jitter(images, gamma=1.0)).flatten(1)
    torch.testing.assert_close(powers, powers[:, :1].expand_as(powers), atol=1e-4, rtol=1e-4)
    assert 0.5 - 1e-3 < powers.min() < 0.55 and 1.85 < powers.max() < 2.001
    assert abs(powers[:, 0].log().mean()) < 0.08  # as often darker as brighter


def test_light_comes_from_one_side():
    """The logarithm of the exponent is a plane through 0 in the center, whose slopes fill their range."""
    images = torch.full((300, 3, 21, 41), -0.3)
    plane = exponents(images, jitter(images, light=0.5)).log().mean(1)  # (B, H, W)
    torch.testing.assert_close(plane[:, 10, 20], torch.zeros(300, dtype=torch.float64), atol=1e-5, rtol=0)
    x, y = (torch.arange(41) + 0.5) / 20.5 - 1, (torch.arange(21) + 0.5) / 10.5 - 1
    slope_x, slope_y = plane[:, 10, -1] / x[-1], plane[:, -1, 20] / y[-1]
    expected = slope_x[:, None, None] * x + slope_y[:, None, None] * y[:, None]
    torch.testing.assert_close(plane, expected, atol=1e-4, rtol=0)
    for slopes in (slope_x, slope_y):
        assert math.log(1.4) < slopes.max() <= math.log(1.5) + 1e-4 and -math.log(1.5) - 1e-4 <= slopes.min() < -0.3
    assert abs(torch.corrcoef(torch.stack([slope_x, slope_y]))[0, 1]) < 0.2


def test_light_keeps_black_and_white_and_the_range():
    images = torch.tensor([-1.0, 1.0]).repeat(8, 3, 4, 2)
    torch.testing.assert_close(jitter(images, gamma=1.0, light=1.0), images)


def test_light_does_not_change_the_other_amounts():
    strengths = dict(brightness=0.3, contrast=0.3, saturation=0.4, hue=0.1)
    transform = PairedColorJitter(**strengths, gamma=0.5)
    active = torch.ones(64, dtype=torch.bool)
    maps = transform.sample_parameters(active, torch.Generator().manual_seed(4))
    expected = PairedColorJitter(**strengths).sample_parameters(active, torch.Generator().manual_seed(4))
    assert torch.equal(maps[..., :4], expected)


def test_pixels_stay_in_range():
    changed = jitter(colors(scale=1), brightness=0.5, contrast=0.5, saturation=0.5, hue=0.1, gamma=1.0, light=1.0)
    assert changed.min() >= -1 and changed.max() <= 1


@pytest.mark.parametrize('wrong', [dict(brightness=-0.1), dict(contrast=1.1), dict(saturation=2), dict(hue=-1),
                                   dict(gamma=-1), dict(light=-0.1), dict(light=float('nan'))])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError):
        PairedColorJitter(**wrong)
