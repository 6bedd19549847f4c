import colorsys

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


def test_pixels_stay_in_range():
    changed = jitter(colors(scale=1), brightness=0.5, contrast=0.5, saturation=0.5, hue=0.1)
    assert changed.min() >= -1 and changed.max() <= 1


@pytest.mark.parametrize('wrong', [dict(brightness=-0.1), dict(contrast=1.1), dict(saturation=2), dict(hue=-1)])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError):
        PairedColorJitter(**wrong)
