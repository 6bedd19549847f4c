import json

import numpy as np
import pytest

from leokit.evaluation.video_list import list_videos
from leokit.utils import UserError


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'')


def test_files_and_frame_folders_of_a_tree(tmp_path):
    for name in ('b.mp4', 'sub/a.GIF', 'sub/frames/000.png', 'sub/frames/001.png', 'notes.txt', '.hidden.mp4',
                 '.cache/c.mp4'):
        touch(tmp_path / name)
    videos = list_videos(tmp_path)
    assert [video.name for video in videos] == ['b.mp4', 'sub/a.GIF', 'sub/frames']
    assert videos[2].path == tmp_path / 'sub' / 'frames'


def test_an_array_of_several_videos_becomes_that_many(tmp_path):
    np.save(tmp_path / 's.npy', np.zeros((11, 2, 4, 4, 3), np.uint8))
    names = [video.name for video in list_videos(tmp_path)]
    assert names == [f's.npy#{number:02d}' for number in range(11)]


def test_manifest_gives_splits_and_skips_pictures(tmp_path):
    entries = [dict(file='a.mp4', split='train'), dict(file='b.mp4', split='test'), dict(file='p.png', split='test')]
    for content in (entries, dict(videos=entries)):
        path = tmp_path / 'manifest.json'
        path.write_text(json.dumps(content))
        assert [video.name for video in list_videos(path)] == ['a.mp4', 'b.mp4']
        assert [(video.name, video.path, video.split) for video in list_videos(path, 'test')] == [
            ('b.mp4', tmp_path / 'b.mp4', 'test')]
    with pytest.raises(UserError, match="no video of split 'val'; its splits are test, train"):
        list_videos(path, 'val')


@pytest.mark.parametrize('content', ['{', '{"videos": 3}', '[1]', '[{"name": "a"}]'])
def test_other_json_is_refused(tmp_path, content):
    path = tmp_path / 'manifest.json'
    path.write_text(content)
    with pytest.raises(UserError, match='manifest.json'):
        list_videos(path)


def test_impossible_sources_are_refused(tmp_path):
    with pytest.raises(UserError, match='no videos in'):
        list_videos(tmp_path)
    with pytest.raises(UserError, match='neither a folder nor a manifest'):
        list_videos(tmp_path / 'gone')
    with pytest.raises(UserError, match='does not exist'):
        list_videos(tmp_path / 'gone.json')
    touch(tmp_path / 'a.mp4')
    with pytest.raises(UserError, match='tells no splits'):
        list_videos(tmp_path, 'test')
