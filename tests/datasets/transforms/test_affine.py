import math

import pytest
import torch

from leokit.datasets.transforms import PairedAffine

SIZE = 65


def blob(x, y, width=0.12):
    """A bright spot at (x, y) in [-1, 1]."""
    axis = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    spot = torch.exp(-((axis[None] - x)**2 + (axis[:, None] - y)**2) / (2 * width**2))
    return (spot * 1.6 - 0.8).expand(1, 3, SIZE, SIZE)


def center_of(images):
    weight = (images.mean(1) + 0.8).clamp(min=0)
    axis = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    total = weight.sum((1, 2))
    return torch.stack([(weight.sum(1) * axis).sum(1) / total, (weight.sum(2) * axis).sum(1) / total], dim=-1)


def move(images, seed=0, **amounts):
    transform = PairedAffine(**{**dict(rotation=0, scale=0, translation=0, padding='border'), **amounts})
    return transform(dict(a=images), torch.Generator().manual_seed(seed))['a']


def test_zero_amounts_are_the_identity():
    torch.testing.assert_close(move(blob(0.3, -0.2)), blob(0.3, -0.2), atol=1e-4, rtol=0)


def test_translation_fills_its_range():
    shift = center_of(move(blob(0, 0).repeat(200, 1, 1, 1), translation=0.1))
    assert 0.17 < shift.abs().max() <= 0.21  # 0.1 of the image size is 0.2 in normalized coordinates
    assert (shift.amin(0) < -0.15).all() and (shift.amax(0) > 0.15).all()


def test_rotation_keeps_the_distance_to_the_center():
    spots = center_of(move(blob(0.5, 0).repeat(200, 1, 1, 1), rotation=30))
    torch.testing.assert_close(spots.norm(dim=-1), torch.full((200,), 0.5), atol=0.02, rtol=0)
    angles = torch.atan2(spots[:, 1], spots[:, 0]).rad2deg()
    assert 27 < angles.abs().max() <= 31 and angles.min() < -20 < 20 < angles.max()


def test_scale_moves_along_the_ray():
    spots = center_of(move(blob(0.3, 0.3).repeat(200, 1, 1, 1), scale=0.25))
    torch.testing.assert_close(spots[:, 0], spots[:, 1], atol=5e-3, rtol=0)
    factors = spots.norm(dim=-1) / (0.3 * math.sqrt(2))
    assert 0.78 < factors.min() < 0.85 and 1.18 < factors.max() < 1.27


def test_padding_adds_no_black_pixels():
    flat = torch.full((20, 3, 16, 16), 0.7)
    for padding in ('reflection', 'border'):
        torch.testing.assert_close(move(flat, rotation=45, scale=0.3, translation=0.2, padding=padding), flat)


@pytest.mark.parametrize('wrong', [dict(rotation=-1), dict(scale=-0.1), dict(translation=-1), dict(padding='zeros')])
def test_invalid_arguments(wrong):
    with pytest.raises(ValueError):
        PairedAffine(**wrong)
