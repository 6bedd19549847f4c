"""Edits that move with the video are coherent; edits that stay in place or flicker are not."""

import math

import cv2
import numpy as np
import pytest
import torch

from leokit.metrics.warping_error import layer_warping_error, video_flow, warping_error

SHIFT = 2  # pixels from frame to frame


def moving(image, count=5):
    """An image (3, H, W) that moves to the right."""
    return torch.stack([image.roll(SHIFT * number, dims=-1) for number in range(count)])


@pytest.fixture(scope='module')
def image():
    noise = np.random.default_rng(0).normal(size=(64, 64, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return torch.from_numpy(smooth / np.abs(smooth).max()).permute(2, 0, 1)


@pytest.fixture(scope='module')
def original(image):
    return video_flow(moving(image))


def test_flow_of_a_shift(original):
    inner = original.flow[:, :, 8:-8, 16:-8]
    assert (inner[:, 0] + SHIFT).abs().mean() < 0.3 and inner[:, 1].abs().mean() < 0.3
    assert original.valid.float().mean() > 0.7


def test_coherent_and_incoherent_edits(image, original):
    own = warping_error(moving(image), original)
    carried = warping_error(moving(-0.5 * image), original)
    left_behind = warping_error((-0.5 * image).expand(5, -1, -1, -1), original)
    flicker = moving(image) * 0.8 + torch.tensor([0.0, 0.2, 0.0, 0.2, 0.0])[:, None, None, None]
    assert own < 4 and carried < 4
    assert left_behind > 3 * carried
    assert warping_error(flicker, original) > 20


def test_the_edit_alone(image, original):
    carried = layer_warping_error(moving(-0.5 * image), original)
    left_behind = layer_warping_error((-0.5 * image).expand(5, -1, -1, -1), original)
    assert carried < 0.1 and left_behind > 3 * carried
    assert layer_warping_error(moving(-0.05 * image), original) == pytest.approx(carried, rel=1e-3)  # any strength
    noise = torch.randn(5, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert layer_warping_error(noise, original) == pytest.approx(2 ** 0.5, abs=0.15)  # interpolation smooths a little
    assert math.isnan(layer_warping_error(torch.zeros(5, 3, 64, 64), original))


def test_constant_difference(original):
    steps = torch.arange(5.0)[:, None, None, None].expand(-1, 3, 64, 64) / 127.5  # one gray level per frame
    assert warping_error(steps, original) == pytest.approx(1, rel=1e-3)


def test_without_reliable_flow(image, original):
    assert math.isnan(warping_error(moving(image), original._replace(valid=torch.zeros_like(original.valid))))


def test_shapes(image, original):
    with pytest.raises(ValueError, match='two frames'):
        video_flow(image[None])
    with pytest.raises(ValueError, match='frames must have shape'):
        warping_error(moving(image, 4), original)
