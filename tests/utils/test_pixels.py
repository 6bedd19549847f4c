import pytest
import torch

from leokit.utils.pixels import from_uint8, to_uint8


def test_every_byte_survives_the_round_trip():
    bytes_ = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(from_uint8(bytes_)), bytes_)
    assert from_uint8(bytes_).min() == -1 and from_uint8(bytes_).max() == 1


def test_pixels_are_clamped_and_rounded_but_not_rescaled():
    frames = torch.tensor([-3.0, -0.1, 0.1, 3.0])
    assert to_uint8(frames).tolist() == [0, 115, 140, 255]
    assert to_uint8(torch.full((2, 2), 0.2)).unique().tolist() == [153]


def test_half_precision_is_rounded_in_float32():
    bytes_ = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(from_uint8(bytes_, torch.float16)), bytes_)


@pytest.mark.parametrize('frames', [torch.zeros(2, dtype=torch.uint8), torch.tensor([0.0, float('nan')])])
def test_to_uint8_of_bytes_or_nan_is_an_error(frames):
    with pytest.raises(ValueError):
        to_uint8(frames)


def test_from_uint8_of_floats_is_an_error():
    with pytest.raises(ValueError, match='uint8'):
        from_uint8(torch.zeros(2))
