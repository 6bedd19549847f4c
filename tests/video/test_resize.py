import numpy as np
import pytest
import torch

from leokit.utils import UserError
from leokit.video.resize import center_square, fit_frames, fit_to_tensor, to_channels_first


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_shrinking_averages_over_areas():
    frames = noise(2, 64, 64, 3)
    means = frames.reshape(2, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    assert np.abs(fit_frames(frames, 16) - means).max() <= 0.5 + 1e-6


def test_the_crop_is_the_middle_square():
    frames = noise(2, 32, 50, 3)
    assert np.array_equal(fit_frames(frames, 32), frames[:, :, 9:41])
    tall = noise(2, 50, 32, 3)
    assert np.array_equal(fit_frames(tall, 32), tall[:, 9:41])


def test_without_crop_the_whole_frame_is_squeezed():
    frames = np.zeros((1, 32, 64, 3), np.uint8)
    frames[:, :, 32:] = 200
    squeezed = fit_frames(frames, 32, crop='none')
    assert (squeezed[:, :, :16] == 0).all() and (squeezed[:, :, 16:] == 200).all()


def test_enlarging_keeps_flat_areas_flat():
    frames = np.full((3, 10, 10, 3), 77, np.uint8)
    assert (fit_frames(frames, 32) == 77).all()


def test_nothing_to_do_is_no_copy():
    frames = noise(2, 16, 16, 3)
    assert fit_frames(frames, 16) is frames


def test_unknown_crop():
    with pytest.raises(UserError, match="'left'"):
        fit_frames(noise(1, 8, 8, 3), 8, crop='left')


def test_channels_first():
    frames = noise(2, 4, 5, 3)
    moved = to_channels_first(frames)
    assert moved.flags.c_contiguous and np.array_equal(moved[1, 2], frames[1, :, :, 2])


@pytest.mark.parametrize('shape', [(2, 8, 5, 3), (2, 5, 8, 3), (1, 2, 6, 9, 3)])
def test_center_square_of_arrays_and_tensors(shape):
    frames = noise(*shape)
    height, width = shape[-3:-1]
    size = min(height, width)
    rows, columns = ((extent - size) // 2 for extent in (height, width))
    expected = frames[..., rows:rows + size, columns:columns + size, :]
    assert np.array_equal(center_square(frames), expected)
    assert np.array_equal(center_square(torch.from_numpy(frames)).numpy(), expected)
    assert center_square(expected) is expected


def test_frames_as_a_tensor():
    frames = noise(2, 32, 50, 3)
    assert np.array_equal(fit_to_tensor(frames, 16).numpy(), to_channels_first(fit_frames(frames, 16)))


def cubic(row, size):
    """A row enlarged by the cubic filter of OpenCV (Keys, a = -0.75), edges repeated, by its definition."""
    def kernel(d):
        d = abs(d)
        return 1.25 * d**3 - 2.25 * d**2 + 1 if d <= 1 else -0.75 * d**3 + 3.75 * d**2 - 6 * d + 3 if d < 2 else 0.0

    scale, values = len(row) / size, []
    for target in range(size):
        center = (target + 0.5) * scale - 0.5
        first = int(np.floor(center)) - 1
        values.append(sum(kernel(center - k) * float(row[min(max(k, 0), len(row) - 1)])
                          for k in range(first, first + 4)))
    return np.clip(np.array(values), 0, 255)


@pytest.mark.parametrize('height', [8, 64])
def test_enlarging_is_cubic_also_in_one_direction_only(height):
    """A step of 100 gray levels overshoots on both sides."""
    row = np.array([50, 50, 50, 50, 150, 150, 150, 150], np.uint8)
    frames = np.broadcast_to(row[None, None, :, None], (1, height, 8, 3)).copy()
    enlarged = fit_frames(frames, 16, crop='none')
    assert np.abs(enlarged[0, :, :, 1] - cubic(row, 16)).max() <= 1
    assert enlarged.min() < 45 and enlarged.max() > 155


def test_shrinking_one_side_averages_where_the_other_fits():
    frames = noise(1, 16, 64, 3)
    means = frames.reshape(1, 16, 16, 4, 3).mean(3)
    assert np.abs(fit_frames(frames, 16, crop='none') - means).max() <= 0.5 + 1e-6
    turned = fit_frames(frames.swapaxes(1, 2), 16, crop='none')
    assert np.abs(turned - means.swapaxes(1, 2)).max() <= 0.5 + 1e-6


def test_the_crop_of_a_tensor():
    frames = noise(2, 16, 32, 3)
    for crop, expected in (('center', frames[:, :, 8:24]), ('none', fit_frames(frames, 16, crop='none'))):
        assert np.array_equal(fit_to_tensor(frames, 16, crop).numpy(), to_channels_first(expected))
    assert np.array_equal(fit_to_tensor(frames, 16).numpy(), to_channels_first(frames[:, :, 8:24]))
