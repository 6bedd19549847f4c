"""Videos side by side: places, times and sizes by arithmetic."""

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import open_video
from leokit.video.side_by_side import GAP, SideBySide, describe
from leokit.video.video_input import FramesHandle


def clip(count, height, width, fps, first=0):
    """Frame number n has the gray level first + n everywhere."""
    frames = np.arange(first, first + count, dtype=np.uint8)[:, None, None, None]
    return FramesHandle(np.broadcast_to(frames, (count, height, width, 3)).copy(), fps)


def test_places_and_times():
    left, right = clip(4, 6, 8, 10.0), clip(2, 6, 5, 5.0, first=100)
    joined = SideBySide([left, right])
    frames = np.concatenate([chunk[0] for chunk in joined.chunks(size=3)])
    assert (len(joined), joined.fps) == (4, 10.0)
    assert frames.shape == (4, 6, 8 + GAP + 5, 3)
    assert frames[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert frames[:, 0, -1, 0].tolist() == [100, 100, 101, 101]  # 5 per second shown at 10
    assert (frames[:, :, 8:8 + GAP] == 255).all()


def test_the_shorter_one_waits_and_the_smaller_one_is_scaled():
    joined = SideBySide([clip(3, 8, 8, 10.0), clip(1, 4, 6, 10.0, first=50)])
    frames = np.concatenate([chunk[0] for chunk in joined.chunks()])
    assert frames.shape == (3, 8, 8 + GAP + 12, 3)  # 6x4 becomes 12x8
    assert (frames[:, :, 8 + GAP:] == 50).all()


def test_description_and_errors(tmp_path):
    assert describe(clip(3, 8, 6, 12.5)).endswith(': 3 frames, 12.5 per second, 6x8')
    with pytest.raises(UserError, match='two videos or more'):
        SideBySide([clip(3, 8, 6, 12.5)])
    with pytest.raises(UserError, match='does not exist'):
        open_video(tmp_path / 'missing.mp4')
