"""Edits that move with the video are coherent; edits that stay in place or flicker are not."""

import math

import cv2
import numpy as np
import pytest
import torch

from leokit.metrics.warping_error import CONSISTENCY, VideoFlow, layer_warping_error, video_flow, warping_error

SHIFT = 2  # pixels from frame to frame


def moving(image, count=5):
    """An image (3, H, W) that moves to the right."""
    return torch.stack([image.roll(SHIFT * number, dims=-1) for number in range(count)])


def texture(seed, sigma, side=96):
    noise = np.random.default_rng(seed).normal(size=(side, side, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return torch.from_numpy(smooth / np.abs(smooth).max()).permute(2, 0, 1)


@pytest.fixture(scope='module')
def image():
    return texture(0, 3, 64)


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
        video_flow(torch.zeros(2, 4, 64, 64))
    with pytest.raises(ValueError, match='frames must have shape'):
        warping_error(moving(image, 4), original)


def test_uncovered_and_entering_pixels_are_not_valid(image):
    """A square moves right by 6 pixels over a still background: what it uncovers was not visible before."""
    background, square = texture(0, 2), texture(1, 2)

    def scene(left):
        frame = background.clone()
        frame[:, 24:72, left:left + 40] = square[:, 24:72, :40]
        return frame

    flow = video_flow(torch.stack([scene(20), scene(26)]))
    assert flow.flow.shape == (1, 2, 96, 96) and flow.valid.shape == (1, 1, 96, 96)
    valid = flow.valid[0, 0].float()
    assert valid[28:68, 20:26].mean() < 0.4  # uncovered
    assert valid[:16].mean() > 0.9 and valid[30:66, 32:60].mean() > 0.9  # still, and moving
    entering = video_flow(moving(image, 2)).valid[0, 0, 4:-4].float()  # from outside on the left
    assert not entering[:, 0].any() and entering[:, 12:-12].mean() > 0.9


def test_pixels_from_outside_are_not_valid_even_if_the_flow_is_small():
    """A shift of 0.6 pixels down: the first row lies outside of the previous frame."""
    large = texture(2, 2)
    fine = torch.nn.functional.interpolate(large[None], scale_factor=5, mode='bicubic')[0]
    scenes = torch.stack([fine[:, 60 - shift:360 - shift, 60:360] for shift in (0, 3)])
    valid = video_flow(torch.nn.functional.avg_pool2d(scenes, 5)).valid[0, 0]
    assert not valid[0].any() and valid[2:, 2:-2].float().mean() > 0.95


def still_flow(count, valid):
    return VideoFlow(torch.zeros(count, 2, 16, 16), valid.expand(count, 1, 16, 16))


def test_errors_count_where_the_flow_is_reliable_only():
    """By hand: without motion, in the left half of which the flow is reliable."""
    valid = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    valid[..., :8] = True
    frames = torch.zeros(2, 3, 16, 16)
    frames[1, :, :, 8:] = 0.7
    assert warping_error(frames, still_flow(1, valid)) == 0
    frames[1, :, :, :4] = 0.2  # half of the reliable pixels change by 0.2
    assert warping_error(frames, still_flow(1, valid)) == pytest.approx(0.2 * 0.5 ** 0.5 * 127.5, rel=1e-5)
    layer = torch.zeros(2, 3, 16, 16)
    layer[1, :, :, :8], layer[:, :, :, 8:] = 0.5, 0.9  # on the right it does not change
    assert layer_warping_error(layer, still_flow(1, valid)) == pytest.approx(1, rel=1e-5)


def test_a_known_motion_is_followed():
    """By hand: every frame is the previous one, moved by 3 columns and -1 rows; the border is not counted."""
    image = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(0))
    frames = torch.stack([image.roll((-number, 3 * number), (1, 2)) for number in range(3)])
    flow = torch.tensor([-3.0, 1.0]).view(1, 2, 1, 1).expand(2, 2, 20, 24)
    valid = torch.zeros(2, 1, 20, 24, dtype=torch.bool)
    valid[..., 4:-4, 8:-4] = True
    assert warping_error(frames, VideoFlow(flow, valid)) < 1e-3
    assert warping_error(frames, VideoFlow(-flow, valid)) > 10


def test_the_smallest_videos():
    generator = torch.Generator().manual_seed(0)
    assert video_flow(torch.rand(2, 3, 12, 12, generator=generator)).flow.shape == (1, 2, 12, 12)
    for shape in ((2, 3, 12, 11), (2, 3, 11, 12), (1, 3, 12, 12)):
        with pytest.raises(ValueError, match='two frames of at least 12 pixels'):
            video_flow(torch.rand(shape, generator=generator))
    assert CONSISTENCY == (0.01, 0.5)  # Sundaram et al., ECCV 2010
