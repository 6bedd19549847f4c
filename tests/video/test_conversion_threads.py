import os
from pathlib import Path

import numpy as np
import pytest

from leokit.video import VideoWriter, open_video

TASKS = Path('/proc/self/task')
pytestmark = pytest.mark.skipif(not TASKS.is_dir() or (os.cpu_count() or 1) < 2, reason='needs Linux and two cores')


def count_threads():
    return len(list(TASKS.iterdir()))


def test_converting_colors_starts_no_threads(tmp_path):
    before = count_threads()
    with VideoWriter(tmp_path / 'video.mp4', 25, threads=1) as writer:  # converts and encodes in this thread
        writer.write(np.zeros((2, 64, 64, 3), np.uint8))
        assert count_threads() == before
    with open_video(tmp_path / 'video.mp4') as video:
        video.read([0, 1])
        assert count_threads() == before
