import os
import shutil

import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import VideoFilter, VideoIndex, scan_folder, video_entry, write_manifest


@pytest.fixture
def warnings(monkeypatch):
    said = []
    monkeypatch.setattr(video_entry, 'print_log', lambda text, **options: said.append(text))
    return said


def test_a_folder_is_searched(video_folder):
    index = VideoIndex(video_folder)
    assert [(video.name, video.frames, video.first, video.last, video.fps) for video in index] == [
        ('a', 20, 0, 20, 25.0), ('deep/b ü#日本', 31, 0, 31, 25.0), ('deep/c', 12, 0, 12, 25.0)]
    assert [video.identity for video in index] == [video.name for video in index]
    assert len(index) == 3 and index.skipped == []


def test_frame_folders_hidden_files_and_suffixes(clips, tmp_path):
    for name in ('train/x', 'train/y', 'valid/.hidden'):
        (tmp_path / name).mkdir(parents=True)
        for number, frame in enumerate(clips.frames(4)):
            Image.fromarray(frame).save(tmp_path / name / f'{number}.jpg')
    clips.write(tmp_path / 'valid' / 'x.mp4', clips.frames(3))
    clips.write(tmp_path / 'valid' / 'x.mkv', clips.frames(3))
    for name in ('._x.mp4', 'y.part.mp4', 'z.txt'):
        (tmp_path / 'valid' / name).write_bytes(b'')
    found = {entry.name: entry.split for entry in scan_folder(tmp_path)}
    assert found == {'train/x': 'train', 'train/y': 'train', 'valid/x.mp4': 'val', 'valid/x.mkv': 'val'}
    assert [video.frames for video in VideoIndex(tmp_path, VideoFilter(split='train'))] == [4, 4]


def test_the_folder_itself_may_be_the_video(clips, tmp_path):
    for number, frame in enumerate(clips.frames(4)):
        Image.fromarray(frame).save(tmp_path / f'{number}.png')
    assert [video.name for video in VideoIndex(tmp_path)] == [tmp_path.name]
    path = clips.write(tmp_path / 'one.mp4', clips.frames(4))
    assert [video.name for video in VideoIndex(path)] == ['one']


def test_links_are_followed_but_not_in_circles(clips, tmp_path):
    clips.write(tmp_path / 'elsewhere' / 'a.mp4', clips.frames(3))
    (tmp_path / 'data').mkdir()
    os.symlink(tmp_path / 'elsewhere', tmp_path / 'data' / 'link')
    os.symlink(tmp_path / 'data', tmp_path / 'elsewhere' / 'circle')
    assert [entry.name for entry in scan_folder(tmp_path / 'data')] == ['link/a']


def test_unusable_videos_are_named_counted_and_skipped(clips, video_folder, tmp_path, warnings):
    root = tmp_path / 'data'
    shutil.copytree(video_folder, root)
    (root / 'broken.mp4').write_bytes(b'broken')
    (root / 'empty.mp4').write_bytes(b'')
    index = VideoIndex(root, VideoFilter(min_frames=15))
    assert [video.name for video in index] == ['a', 'deep/b ü#日本']
    assert {os.path.basename(file): reason for file, reason in index.skipped}['c.mkv'] == '12 frames in use, 15 needed'
    assert len(index.skipped) == 3
    text, = warnings
    assert '3 in all' in text and all(name in text for name in ('broken.mp4', 'empty.mp4', 'c.mkv'))


def test_a_long_list_of_skipped_videos_is_truncated(tmp_path, clips, warnings):
    clips.write(tmp_path / 'good.mp4', clips.frames(2))
    for number in range(30):
        (tmp_path / f'{number:02d}.mp4').write_bytes(b'broken')
    assert len(VideoIndex(tmp_path).skipped) == 30
    assert '30 in all' in warnings[0] and 'and 10 more' in warnings[0] and '25.mp4' not in warnings[0]


def test_a_manifest_is_found_and_checked(clips, video_folder, tmp_path, warnings):
    root = tmp_path / 'data'
    shutil.copytree(video_folder, root)
    write_manifest(root / 'manifest.json', [
        dict(file='deep/c.mkv', name='c', identity='carl', split='train', frames=12, fps=10.0),
        dict(file='a.mp4', identity='anna', split='train', frames=19),
        dict(file='gone.mp4', identity='greta', split='train')])
    index = VideoIndex(root, VideoFilter(split='train', segment=(0.5, 1)))
    assert [(video.name, video.identity, video.first, video.last) for video in index] == [
        ('c', 'carl', 6, 12), ('a', 'anna', 10, 20)]
    assert index.videos[0].fps == 10.0
    assert any('20 instead of 19' in text for text in warnings)
    assert [os.path.basename(file) for file, _ in index.skipped] == ['gone.mp4']
    assert len(VideoIndex(root, manifest=None)) == 3
    assert len(VideoIndex(root / 'manifest.json')) == 2


def test_problems_end_in_one_sentence(video_folder, tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        VideoIndex(tmp_path / 'nowhere')
    with pytest.raises(UserError, match='there are no videos in'):
        VideoIndex(tmp_path)
    with pytest.raises(UserError, match='none of the 3 videos .* can be used'):
        VideoIndex(video_folder, VideoFilter(min_frames=100))
    with pytest.raises(UserError, match='deep/zzz'):
        VideoIndex(video_folder, VideoFilter(identities=['deep/zzz']))


def test_probes_are_cached_between_data_sets(video_folder, monkeypatch):
    VideoIndex(video_folder)
    monkeypatch.setattr('leokit.video.video_probe.probe_video', None)  # would fail if called
    assert len(VideoIndex(video_folder, VideoFilter(min_frames=13))) == 2
    with pytest.raises(TypeError):
        VideoIndex(video_folder, cache_probes=False)


def test_an_empty_name_is_not_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / 'a').mkdir()
    for number in range(3):
        Image.new('RGB', (16, 16)).save(tmp_path / 'a' / f'{number}.png')
    monkeypatch.chdir(tmp_path)
    assert len(VideoIndex('.')) == 1
    with pytest.raises(UserError, match="the folder of videos is ''"):
        VideoIndex('')
