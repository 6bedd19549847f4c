"""Clips cut without conversion to RGB show the same as those cut through RGB, and the planted places."""

from types import SimpleNamespace

import av
import numpy as np
import pytest
from support.dataset_fixtures import NTSC, crop_of, frame_numbers, place_frames, read_frames, write_frames

from leokit.utils import UserError
from leokit.video.clip_cutter import _decoder, _direct_matrix, cut_clip
from leokit.video.face_crop import CropBox
from leokit.video.readers import AutoReader


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    return write_frames(tmp_path_factory.mktemp('video') / 'a.mp4', place_frames(70), NTSC)


def cut(path, target, first, last, box, size=32, fps=None, **options):
    with AutoReader().open(path) as opened:
        return cut_clip(opened.at_rate(fps) if fps else opened, target, first, last, CropBox(*box), size, crf=0,
                        **options)


@pytest.mark.parametrize('box', [(40, 20, 120, 100), (41, 21, 122, 102), (0, 0, 160, 120), (31, 11, 90, 101),
                                 (70, 50, 90, 70), (159 - 41, 119 - 41, 160, 120)])
def test_both_ways_show_the_same_place(video, tmp_path, box):
    pictures = []
    for direct in (True, False):
        clip = cut(video, tmp_path / f'{direct}.mp4', 25, 40, box, direct=direct)
        frames, rate = read_frames(tmp_path / f'{direct}.mp4')
        assert clip.frames == 15 and rate == NTSC and frames.shape == (15, 32, 32, 3)
        assert frame_numbers(frames) == list(range(25, 40))
        assert np.abs(crop_of(frames) - box).max() < .6
        pictures.append(frames)
    assert np.abs(pictures[0] - pictures[1]).mean() < 1


def test_key_frames_are_those_of_the_encoder(video, tmp_path):
    """The video has a key frame every 12 frames, of which three are in the clip; they are none of its own."""
    cut(video, tmp_path / 'a.mp4', 10, 50, (40, 20, 120, 100), keyframe_interval=20)
    with av.open(str(tmp_path / 'a.mp4')) as container:
        keys = [number for number, packet in enumerate(container.demux(video=0)) if packet.is_keyframe]
    assert keys == [0, 20]


def test_resampling_by_time(video, tmp_path):
    """From 30000/1001 to 10: output k shows the newest frame whose time rounds to k / 10, every third one."""
    cut(video, tmp_path / 'a.mp4', 2, 12, (40, 20, 120, 100), fps=10)
    assert frame_numbers(read_frames(tmp_path / 'a.mp4')[0]) == [3 * number + 1 for number in range(2, 12)]


@pytest.mark.parametrize('rotation, matrix', [(0, 'bt709'), (90, None), (-180, None)])
def test_frames_with_side_data_that_is_not_known(video, rotation, matrix):
    """As of a JPEG file with EXIF: the side data cannot be read, but the rotation can."""
    class SideData:
        def get(self, name):
            raise ValueError('unknown side data')

    with AutoReader().open(video) as opened:
        frame = SimpleNamespace(
            width=160, height=120, format=SimpleNamespace(name='yuv420p'), side_data=SideData(), rotation=rotation,
            colorspace=1, color_primaries=1, color_trc=1)
        assert _direct_matrix(opened, frame, CropBox(0, 0, 100, 100)) == matrix


@pytest.mark.parametrize('pixels, options, direct', [
    ('yuv420p', {}, True), ('yuv420p', {'colorspace': 'bt709'}, True), ('yuv420p', {'colorspace': 'smpte170m'}, True),
    ('yuvj420p', {}, True),
    ('yuv444p', {}, False), ('yuv420p', {'colorspace': 'bt2020nc'}, False), ('yuv422p', {}, False)])
def test_colors_of_every_format(tmp_path, pixels, options, direct):
    """The frames of a clip are those that the reader shows of the video."""
    path = write_frames(tmp_path / 'a.mp4', place_frames(9), pixels=pixels, options=options)
    with AutoReader().open(path) as opened:
        first = next(_decoder(opened, np.arange(9))[0], None)
        box = CropBox(0, 0, 160, 120)
        assert (first is not None and _direct_matrix(opened, first, box) is not None) == direct
        expected = opened.read(range(9))[:, 20:100, 40:120].astype(float)
    cut(path, tmp_path / 'clip.mp4', 0, 9, (40, 20, 120, 100), 80)
    with AutoReader().open(tmp_path / 'clip.mp4') as opened:
        assert np.abs(opened.read(range(9)) - expected).mean() < 1.2


def test_untagged_video_of_many_lines_stays_bt709(tmp_path):
    path = write_frames(tmp_path / 'a.mp4', place_frames(2, 1280, 720))
    cut(path, tmp_path / 'clip.mp4', 0, 2, (0, 0, 720, 720), 64)
    with av.open(str(tmp_path / 'clip.mp4')) as container:
        assert container.streams.video[0].codec_context.colorspace == 1  # ITU-T H.273: BT.709
    with AutoReader().open(path) as opened, AutoReader().open(tmp_path / 'clip.mp4') as clip:
        expected = opened.read([0])[0, :, :720].astype(float).mean(axis=(0, 1))
        assert np.abs(clip.read([0])[0].mean(axis=(0, 1)) - expected).max() < 1


def test_beyond_the_frame_is_black(video, tmp_path):
    cut(video, tmp_path / 'a.mp4', 0, 2, (-40, 20, 40, 100), 80)
    frames, _ = read_frames(tmp_path / 'a.mp4')
    assert frames[:, :, :38].max() < 8 and frames[:, :, 42:, 1].min() > 30


@pytest.mark.parametrize('direct', [True, False])
def test_watched_frames_are_those_of_the_clip(video, tmp_path, direct):
    watched = []
    clip = cut(video, tmp_path / 'a.mp4', 5, 12, (40, 20, 120, 100), watch=watched.append, watch_size=16, direct=direct)
    assert np.stack(watched).shape == (7, 16, 16, 3)
    assert frame_numbers(np.stack(watched).astype(float)) == list(range(5, 12))
    again = cut(video, tmp_path / 'b.mp4', 5, 12, (40, 20, 120, 100), direct=direct)
    other = cut(video, tmp_path / 'c.mp4', 6, 13, (40, 20, 120, 100), direct=direct)
    assert clip.digest == again.digest != other.digest


def test_a_damaged_video_leaves_no_clip(clips, tmp_path):
    whole = write_frames(tmp_path / 'whole.mp4', list(np.random.default_rng(0).integers(0, 255, (60, 64, 64, 3), 'u1')),
                         gop=250)
    damaged = clips.damage(whole, tmp_path / 'damaged.mp4')
    with pytest.raises(UserError, match='damaged.mp4'):
        cut(damaged, tmp_path / 'clip.mp4', 0, 60, (0, 0, 64, 64))
    assert not list(tmp_path.glob('clip*'))
