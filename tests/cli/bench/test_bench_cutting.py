"""``leokit bench cutting`` at tiny size."""

import re
import shutil

import pytest
from support.calling import call_command
from support.dataset_fixtures import place_frames, write_frames

needs_ffmpeg = pytest.mark.skipif(shutil.which('ffmpeg') is None, reason='needs the program ffmpeg')


@needs_ffmpeg
def test_times_and_ratios_of_the_same_clips(tmp_path):
    write_frames(tmp_path / 'a.mp4', place_frames(50))
    status, said = call_command('bench cutting', '--videos', tmp_path, '--num-clips', 2, '--seconds', 1, '--size', 32,
                                '--repeats', 1)
    assert status == 0 and '1 videos, 2 clips of 1 s each, to 32x32, 50 frames in all' in said, said
    rows = {name: list(map(float, numbers)) for name, *numbers in re.findall(
        r'^  (ffmpeg|leokit|leokit, with checks) +([\d.]+) s +(\d+) frames/s +([\d.]+) CPU s$', said, re.M)}
    assert len(rows) == 3 and all(min(values) > 0 for values in rows.values())
    ratio = float(re.search(r'speed of leokit, relative to ffmpeg: ([\d.]+) by the clock', said)[1])
    assert ratio == pytest.approx(rows['ffmpeg'][0] / rows['leokit'][0], rel=.3)


@needs_ffmpeg
def test_short_videos_are_refused(tmp_path):
    write_frames(tmp_path / 'a.mp4', place_frames(10))
    status, said = call_command('bench cutting', '--videos', tmp_path, '--repeats', 1)
    assert status == 2 and 'lasts 0.4 s, less than the 5 s of a clip' in said and 'Traceback' not in said
