"""Videos that cannot fit are refused before they are begun; those that fit are not."""

import shutil
from collections import namedtuple

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import VideoWriter, check_space, needed_bytes

Usage = namedtuple('Usage', 'total used free')


@pytest.fixture
def disk(monkeypatch):
    def set_free(free):
        monkeypatch.setattr(shutil, 'disk_usage', lambda path: Usage(10**12, 0, free))
    return set_free


def test_videos_that_do_not_fit_are_refused(tmp_path, disk):
    disk(10**6)
    check_space([tmp_path / 'new' / 'a.npy'], 81, 64, 64)
    with pytest.raises(UserError, match=r'a\.npy of 82 frames with 64x64 pixels need about 0\.00101 GB'):
        check_space([tmp_path / 'new' / 'a.npy'], 82, 64, 64)
    with pytest.raises(UserError, match='3 videos of 41 frames'):  # together, wherever on the disk they lie
        check_space([tmp_path / 'a' / 'b.npy', tmp_path / 'c.npy', tmp_path / 'd.npy'], 41, 64, 64)
    check_space([tmp_path / 'a.mp4'], 1000, 64, 64)


@pytest.mark.parametrize('name', ['a.mp4', 'a.gif', 'a.npy', 'a'])
def test_the_estimate_is_not_above_the_actual_size(tmp_path, name):
    y, x = np.mgrid[:64, :64]
    frames = np.stack([np.stack([128 + 100 * np.sin((x * i + y * c) / 9 + c) for c in range(1, 4)], -1)
                       for i in range(1, 31)]).astype(np.uint8)
    with VideoWriter(tmp_path / name, 25) as writer:
        writer.write(frames)
    path = tmp_path / name
    taken = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
    assert 0 < needed_bytes(path, 30, 64, 64) <= taken
