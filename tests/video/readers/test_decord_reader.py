import sys
from importlib.util import find_spec

import numpy as np
import pytest

from leokit.registry import VIDEO_READERS
from leokit.utils import UserError
from leokit.video.readers import DecordReader, PyAVReader

FRAMES = 40
needs_decord = pytest.mark.skipif(find_spec('decord') is None, reason='decord has no wheel for this platform')


@needs_decord
@pytest.mark.parametrize('name, options', [
    ('plain.mp4', dict(b_frames=0)), ('b_frames.mp4', {}), ('b_frames.mkv', {}), ('one_key.mp4', dict(gop=250))])
def test_agrees_with_pyav(clips, tmp_path, name, options):
    path = clips.write(tmp_path / name, clips.frames(FRAMES), **options)
    with DecordReader().open(path) as decord, PyAVReader().open(path) as pyav:
        assert len(decord) == len(pyav) and decord.fps == pyav.fps
        in_order = decord.read(range(FRAMES))
        assert clips.numbers(in_order) == list(range(FRAMES))
        assert np.abs(in_order.astype(int) - pyav.read(range(FRAMES))).mean() < 3  # decord rounds colors down
        for number in np.random.default_rng(0).permutation(FRAMES)[:12]:
            assert np.array_equal(decord.read([number])[0], in_order[number])
        assert clips.numbers(decord.read([9, 2, 2])) == [9, 2, 2]


@needs_decord
@pytest.mark.parametrize('name, options', [
    ('open_gop.mp4', dict(options={'x264-params': 'open-gop=1:bframes=3:b-adapt=0'})), ('a.avi', dict())])
def test_refuses_what_decord_reads_wrongly(clips, tmp_path, name, options):
    path = clips.write(tmp_path / name, clips.frames(FRAMES), **options)
    with pytest.raises(UserError, match='PyAVReader'):
        DecordReader().open(path)


@needs_decord
def test_refuses_a_start_without_a_key_frame(clips, tmp_path):
    whole = clips.write(tmp_path / 'whole.mp4', clips.frames(FRAMES))
    with pytest.raises(UserError, match='exactly'):
        DecordReader().open(clips.cut_front(whole, tmp_path / 'cut.mp4', 5))


@needs_decord
def test_broken_and_closed(clips, tmp_path):
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(UserError, match='text.mp4'):
        DecordReader().open(tmp_path / 'text.mp4')
    video = VIDEO_READERS.build(dict(type='DecordReader')).open(clips.write(tmp_path / 'a.mp4', clips.frames(3)))
    video.close()
    with pytest.raises(ValueError, match='closed'):
        video.read([0])


def test_without_decord_the_error_names_the_package(clips, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'decord', None)
    with pytest.raises(UserError, match='needs the optional package decord'):
        DecordReader().open(clips.write(tmp_path / 'a.mp4', clips.frames(3)))
