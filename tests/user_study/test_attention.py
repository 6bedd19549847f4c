"""Degraded videos look degraded, also after encoding."""

import numpy as np
import pytest

from leokit.user_study import degrade_video, encode_clip, motion_strength, open_moving_video

from user_study.studies import moving_frames


def rng():
    return np.random.default_rng(0)


def test_frozen_repeats_the_first_frame():
    frames = moving_frames()
    broken = degrade_video(frames, 'frozen', rng())
    assert broken.kind == 'frozen' and broken.frames.shape == frames.shape
    assert (broken.frames == frames[0]).all()


def test_shuffled_has_the_same_frames_in_a_rough_order():
    frames = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.full((1, 8, 8, 3), 10, np.uint8)
    broken = degrade_video(frames, 'shuffled', rng())
    order = broken.frames[:, 0, 0, 0] // 10
    assert sorted(order) == list(range(20))
    assert np.abs(np.diff(order.astype(int))).mean() > 6  # neighbors lie far apart


def test_noise_changes_every_frame_strongly_at_any_size():
    frames = moving_frames(height=45, width=37)
    broken = degrade_video(frames, 'noise', rng()).frames
    difference = np.abs(broken.astype(int) - frames)
    assert broken.shape == frames.shape and broken.dtype == np.uint8
    assert (difference.mean(axis=(1, 2, 3)) > 30).all()


def test_noise_survives_the_encoder(tmp_path):
    frames = np.full((8, 64, 64, 3), 128, np.uint8)
    (tmp_path / 'noise.mp4').write_bytes(encode_clip([degrade_video(frames, 'noise', rng()).frames], 25).data)
    with open_moving_video(tmp_path / 'noise.mp4') as video:
        decoded = video.read(range(8))
    assert np.abs(decoded.astype(int) - 128).mean() > 30 and motion_strength(decoded) > 20


@pytest.mark.parametrize('kind', ['frozen', 'shuffled'])
def test_a_still_video_gets_noise(kind):
    still = np.full((6, 32, 32, 3), 90, np.uint8)
    broken = degrade_video(still, kind, rng())
    assert broken.kind == 'noise' and np.abs(broken.frames.astype(int) - 90).mean() > 20


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'blurred'"):
        degrade_video(moving_frames(), 'blurred', rng())
