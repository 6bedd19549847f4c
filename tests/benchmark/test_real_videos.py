"""First frames and motion are those of the selected frames of real videos."""

import numpy as np
import pytest
import torch

from leokit.benchmark.real_videos import first_frames, motion_windows
from leokit.evaluation import Protocol, scan_videos
from leokit.inference import encode
from leokit.utils.pixels import from_uint8
from leokit.video import VideoFilter
from support.tiny_models import MOTION_DIM, SIZE

PROTOCOL = Protocol.from_dict(dict(name='tiny', clips=dict(length=6)))


@pytest.fixture
def videos(tmp_path):
    for number in range(3):
        frames = np.random.default_rng(number).integers(0, 256, (20, SIZE, SIZE, 3), dtype=np.uint8)
        np.save(tmp_path / f'{number}.npy', frames)
    return tmp_path


def as_tensor(frames):
    return from_uint8(torch.from_numpy(frames).permute(0, 3, 1, 2))


def test_first_frames_of_every_video_then_later_ones(videos):
    found = scan_videos(videos, PROTOCOL, filters=VideoFilter(segment=(0.5, 1.0)))
    frames = first_frames(found, SIZE, [0, 1, 4, 7], 6)
    for frame, video, position in zip(frames, (0, 1, 1, 1), (10, 10, 16, 12)):  # 12 of 10 frames wraps around
        assert torch.equal(frame, as_tensor(np.load(videos / f'{video}.npy')[position][None])[0])
    assert torch.equal(first_frames(found, SIZE, [7], 6)[0], frames[3])


def test_codes_of_windows(videos, animator):
    found = scan_videos(videos, PROTOCOL)
    every = motion_windows(animator, found, PROTOCOL, length=6, count=1000)
    assert every.shape == (3 * 15, 6, MOTION_DIM)
    codes = encode(animator, as_tensor(np.load(videos / '1.npy'))[4:10]).motion
    torch.testing.assert_close(every[15 + 4], codes, atol=1e-4, rtol=0)
    some = motion_windows(animator, found, PROTOCOL, length=6, count=4)
    assert some.shape[0] == 4 and torch.equal(some, motion_windows(animator, found, PROTOCOL, length=6, count=4))
