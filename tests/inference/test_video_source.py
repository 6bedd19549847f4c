"""Videos as sources: every frame against the animator itself."""

import numpy as np
import pytest
import torch

from leokit.croppers import CropRegion, CropTrack
from leokit.inference import MotionTransfer, VideoAnimator, VideoSource, animate_video
from leokit.utils.pixels import from_uint8, to_uint8
from leokit.video import FramesHandle
from leokit.video.resize import fit_to_tensor
from support.tiny_models import MOTION_DIM, SIZE, make_animator


def noise(count, height=SIZE, width=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def as_input(frames):
    return from_uint8(fit_to_tensor(frames, SIZE, 'none'))


def codes(animator, frames):
    with torch.inference_mode():
        return animator.encode(as_input(frames)).motion


def render(animator, frames, motion):
    """Frames (t, 3, S, S) with the codes (t, N)."""
    with torch.inference_mode():
        return torch.cat([animator.animate(animator.encode(as_input(frame[None])), code[None]).frames
                          for frame, code in zip(frames, motion)]).clamp(-1, 1)


def animate(animator, source, driving, track=None, **options):
    video = VideoSource(FramesHandle(source), track, SIZE, 'center')
    chunks = list(animate_video(VideoAnimator(animator), video, FramesHandle(driving), **options))
    return torch.cat(chunks, dim=1)[0]


@pytest.mark.parametrize('chunk_size', [3, 32])
def test_every_frame_keeps_its_pose(chunk_size):
    animator, source, driving = make_animator(), noise(10), noise(12, seed=1)
    own, driver = codes(animator, source), codes(animator, driving)
    found = animate(animator, source, driving, paste_back=False, chunk_size=chunk_size)
    expected = render(animator, source, own + driver[:10] - driver[:1])
    assert found.shape == (10, 3, SIZE, SIZE)
    assert (found - expected).abs().max() < 1e-4
    assert (expected - render(animator, source, own)).abs().max() > 0.05


def test_a_shorter_driving_video_ends_the_result():
    animator = make_animator()
    assert len(animate(animator, noise(10), noise(4, seed=1), paste_back=False)) == 4


@pytest.mark.parametrize('amount', [1.0, 0.3])
@pytest.mark.parametrize('regions', [None, 'half'])
def test_absolute_transfer(amount, regions):
    animator, source, driving = make_animator(), noise(5), noise(5, seed=1)
    own, driver = codes(animator, source), codes(animator, driving)
    kept = torch.eye(MOTION_DIM)
    if regions:
        kept[MOTION_DIM // 2:] = 0
    transfer = MotionTransfer(mode='absolute', motion_scale=amount, regions=None if regions is None else kept)
    found = animate(animator, source, driving, paste_back=False, transfer=transfer)
    assert (found - render(animator, source, own + amount * (driver - own) @ kept.T)).abs().max() < 1e-4


def test_a_moving_face_is_pasted_where_it_is():
    animator, driving = make_animator(), noise(6, seed=1)
    source = noise(6, 80, 120)
    track = CropTrack(np.array((0., 5 / 25)), np.array(((30, 40, 32, 32, 0), (70, 40, 32, 32, 0.))))
    found = animate(animator, source, driving, track, feather=0.0).permute(0, 2, 3, 1).numpy()
    assert found.shape == (6, 80, 120, 3) and found.dtype == np.uint8
    crops = np.stack([source[number, 24:56, 14 + 8 * number:46 + 8 * number] for number in range(6)])
    own, driver = codes(animator, crops), codes(animator, driving)
    rendered = to_uint8(render(animator, crops, own + driver - driver[:1])).permute(0, 2, 3, 1).numpy()
    for number, (frame, image) in enumerate(zip(found, rendered)):
        left = 14 + 8 * number
        assert np.abs(frame[24:56, left:left + 32].astype(int) - image).max() <= 2
        outside = np.ones((80, 120), bool)
        outside[24:56, left:left + 32] = False
        assert np.array_equal(frame[outside], source[number][outside])


def test_a_resting_region_is_in_whole_pixels():
    source = VideoSource(FramesHandle(noise(3, 80, 120)), CropTrack.resting(CropRegion(30.3, 40.2, 31.9, 32.2)), SIZE,
                         'center')
    assert source.region(2) == CropRegion(30, 40, 32, 32)
