import json
import os

import av
import numpy as np
import pytest

from leokit.datasets.preparation import Preparation, prepare_videos
from leokit.utils import UserError
from leokit.utils.locks import FileLock
from leokit.video import VideoIndex, read_manifest
from leokit.video.manifest import write_manifest
from leokit.video.readers import AutoReader
from leokit.video.resize import fit_frames


@pytest.fixture
def raw(clips, tmp_path):
    clips.write(tmp_path / 'raw' / 'train' / 'long ü.mp4', clips.frames(50, 96, 128))
    clips.write(tmp_path / 'raw' / 'test' / 'short.mkv', clips.frames(9, 128, 96))
    whole = clips.write(tmp_path / 'whole.mp4', clips.frames(60), gop=250)
    clips.damage(whole, tmp_path / 'raw' / 'train' / 'damaged.mp4')
    return tmp_path / 'raw'


def test_clips_are_square_short_and_seekable(clips, raw, tmp_path):
    report = prepare_videos(VideoIndex(raw), tmp_path / 'out', Preparation(64, max_frames=20, min_frames=8,
                                                                           keyframe_interval=5))
    assert (report.clips, report.written) == (5, 5)
    assert [os.path.basename(skipped.file) for skipped in report.skipped] == ['damaged.mp4']
    index = VideoIndex(tmp_path / 'out')
    assert [(video.name, video.identity, video.split, video.frames) for video in index] == [
        ('test/short_00', 'test/short', 'test', 9), ('train/damaged_00_from0', 'train/damaged', 'train', 12),
        ('train/long ü_00', 'train/long ü', 'train', 20),
        ('train/long ü_01', 'train/long ü', 'train', 20), ('train/long ü_02', 'train/long ü', 'train', 10)]
    before = fit_frames(read(tmp_path / 'whole.mp4')[:12], 64)  # the frames before the damage
    assert np.abs(read(index.videos[1].path).astype(int) - before).mean() < 8
    with AutoReader().open(index.videos[3].path) as video:
        assert video.read(range(20)).shape == (20, 64, 64, 3)
    with av.open(str(index.videos[3].path)) as container:
        assert container.streams.video[0].codec_context.name == 'h264'
        assert sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size) == 4


def test_pieces_are_consecutive(clips, tmp_path):
    clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(30, 96, 96))
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(96, max_frames=12))
    shown = []
    for entry in read_manifest(tmp_path / 'out' / 'manifest.json'):
        with AutoReader().open(entry.path) as video:
            shown += clips.numbers(video.read(range(len(video))))
    assert shown == list(range(30))


def read(path):
    with AutoReader().open(path) as video:
        return video.read(range(len(video)))


def test_an_interrupted_preparation_is_resumed(raw, tmp_path):
    settings = Preparation(32, max_frames=20)
    first = prepare_videos(VideoIndex(raw), tmp_path / 'out', settings)
    clip = tmp_path / 'out' / 'train' / 'long ü_01.mp4'
    content, time = clip.read_bytes(), (tmp_path / 'out' / 'train' / 'long ü_00.mp4').stat().st_mtime_ns
    frames = read(clip)
    clip.unlink()
    (tmp_path / 'out' / 'manifest.json').unlink()
    (tmp_path / 'out' / 'train' / 'long ü_01.part.mp4').write_bytes(content[:500])  # partial file of a killed process
    again = prepare_videos(VideoIndex(raw), tmp_path / 'out', settings)
    assert again.clips == first.clips and again.written == 1
    # not bit by bit: given the same frames, x264 writes other bytes now and then on a busy machine
    assert read(clip).shape == frames.shape and np.abs(read(clip).astype(int) - frames).mean() < 2
    assert (tmp_path / 'out' / 'train' / 'long ü_00.mp4').stat().st_mtime_ns == time
    with pytest.raises(UserError, match='other settings'):
        prepare_videos(VideoIndex(raw), tmp_path / 'out', Preparation(48))


def test_two_preparations_do_not_share_a_folder(raw, tmp_path):
    (tmp_path / 'out').mkdir()
    lock = FileLock(tmp_path / 'out' / '.preparation.lock')
    assert lock.acquire()
    with pytest.raises(UserError, match='another process is writing to .*out; wait for it or choose another folder'):
        prepare_videos(VideoIndex(raw), tmp_path / 'out', Preparation(64))
    assert os.listdir(tmp_path / 'out') == ['.preparation.lock']
    lock.release()
    assert prepare_videos(VideoIndex(raw), tmp_path / 'out', Preparation(64)).written == 3
    assert not (tmp_path / 'out' / '.preparation.lock').exists()


def test_whole_videos_keep_their_name(raw, tmp_path):
    prepare_videos(VideoIndex(raw), tmp_path / 'out', Preparation(32, crop='none'))
    assert [video.name for video in VideoIndex(tmp_path / 'out')] == [
        'test/short', 'train/damaged_from0', 'train/long ü']


def test_pieces():
    assert Preparation(32).pieces(7) == [(0, 7)] and Preparation(32).pieces(1) == []
    assert Preparation(32, max_frames=4).pieces(8) == [(0, 4), (4, 8)]
    assert Preparation(32, max_frames=4, min_frames=3).pieces(10) == [(0, 4), (4, 8)]


@pytest.mark.parametrize('options', [dict(size=31), dict(size=0), dict(size=32, crop='left'),
                                     dict(size=32, max_frames=1), dict(size=32, min_frames=0)])
def test_wrong_settings(options):
    with pytest.raises(UserError):
        Preparation(**options)


def test_no_usable_video(clips, tmp_path):
    clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(3))
    with pytest.raises(UserError, match='3 frames, 5 needed'):
        prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(32, min_frames=5))


def test_edited_labels_of_clips_are_kept(clips, tmp_path):
    clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(12, 96, 96))
    settings, manifest = Preparation(32, max_frames=6), tmp_path / 'out' / 'manifest.json'
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', settings)
    rows = json.loads(manifest.read_text())
    write_manifest(manifest, [dict(row, identity='anna', split='test') for row in rows])
    clips.write(tmp_path / 'raw' / 'b.mp4', clips.frames(6, 96, 96))
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', settings)
    assert [(video.name, video.identity, video.split) for video in read_manifest(manifest)] == [
        ('a_00', 'anna', 'test'), ('a_01', 'anna', 'test'), ('b_00', 'b', None)]


def test_clips_are_not_written_to_the_raw_videos(clips, tmp_path):
    clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(12, 96, 96))
    with pytest.raises(UserError, match=r'a.mp4 is a raw video inside .*raw, .*choose another folder'):
        prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'raw', Preparation(32))
    assert sorted(path.name for path in (tmp_path / 'raw').iterdir()) == ['a.mp4']


def test_videos_of_other_folders_are_written_below_the_target(clips, tmp_path):
    """Absolute files and names that lead upward: the sources stay as they are, and none of them counts as a clip."""
    raw, lists, out = tmp_path / 'raw', tmp_path / 'lists', tmp_path / 'deep' / 'out'
    sources = [clips.write(raw / f'{name}.mp4', clips.frames(12)) for name in 'abcd']
    before = {path: path.read_bytes() for path in sources}
    lists.mkdir()
    rows = [dict(file=str(sources[0])), dict(file='../raw/b.mp4'), dict(file=str(sources[2]), name='../../escaped'),
            dict(file=str(sources[3]), name=str(tmp_path / 'absolute'))]
    (lists / 'manifest.json').write_text(json.dumps(rows))
    for pieces, settings in ((4, Preparation(32)), (8, Preparation(32, max_frames=6))):
        target = out / str(pieces)
        report = prepare_videos(VideoIndex(lists), target, settings)
        assert (report.clips, report.written) == (pieces, pieces)
        written = {entry.path.resolve() for entry in read_manifest(target / 'manifest.json')}
        assert len(written) == pieces and all(path.is_relative_to(target.resolve()) for path in written)
    assert {path: path.read_bytes() for path in sources} == before
    assert sorted(raw.iterdir()) == sources
    assert sorted(path.name for path in tmp_path.iterdir()) == ['deep', 'lists', 'raw']
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['out']


def test_two_names_of_one_file_are_refused(clips, tmp_path):
    raw = clips.write(tmp_path / 'raw' / 'a.mp4', clips.frames(8))
    write_manifest(tmp_path / 'manifest.json', [dict(file=str(raw), name='x'), dict(file=str(raw), name='../x')])
    with pytest.raises(UserError, match=r"'x' and '../x' would both be written to .*x.mp4"):
        prepare_videos(VideoIndex(tmp_path / 'manifest.json'), tmp_path / 'out', Preparation(32))


def test_clips_at_one_rate(clips, tmp_path):
    """Expected numbers: FFmpeg's rule, frame k is the newest whose time rounds to k / fps (tests/video)."""
    clips.write(tmp_path / 'raw' / 'fast.mp4', clips.frames(60, 96, 96), rate=60)
    clips.write(tmp_path / 'raw' / 'slow.mp4', clips.frames(10, 96, 96), rate=10)
    index = VideoIndex(tmp_path / 'raw')
    prepare_videos(index, tmp_path / 'out', Preparation(96, fps=30, max_frames=20))
    entries = read_manifest(tmp_path / 'out' / 'manifest.json')
    assert [(entry.name, entry.frames, entry.fps) for entry in entries] == [
        ('fast_00', 20, 30), ('fast_01', 10, 30), ('slow_00', 20, 30), ('slow_01', 10, 30)]
    shown = []
    for entry in entries:
        with AutoReader().open(entry.path) as video:
            assert video.fps == 30
            shown.append(clips.numbers(video.read(range(len(video)))))
    assert shown[0] + shown[1] == list(range(0, 60, 2))
    assert shown[2] + shown[3] == [number for number in range(10) for _ in range(3)]


def test_several_rates_are_reported(clips, tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr('leokit.datasets.preparation.print_log', lambda message, **_: messages.append(message))
    for number, rate in enumerate((25, 25, 30)):
        clips.write(tmp_path / 'raw' / f'{number}.mp4', clips.frames(6, 32, 96), rate=rate)
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'out', Preparation(32))
    assert len(messages) == 1 and '2 of 25, 1 of 30' in messages[0]
    prepare_videos(VideoIndex(tmp_path / 'raw'), tmp_path / 'one', Preparation(32, fps=25))
    assert len(messages) == 1
