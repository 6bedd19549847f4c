import json

import numpy as np
import pytest

from leokit.utils import UserError
from leokit.video import VideoFilter
from leokit.video.video_list import list_videos


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'')


def names(source, **options):
    return [entry.name for entry in list_videos(source, **options)[0]]


def test_files_and_frame_folders_of_a_tree(tmp_path):
    for name in ('b.mp4', 'sub/frames/000.png', 'sub/frames/001.png', 'notes.txt', '.hidden.mp4', '.cache/c.mp4'):
        touch(tmp_path / name)
    assert names(tmp_path) == ['b', 'sub/frames']


def test_an_array_of_several_videos_becomes_that_many(tmp_path):
    np.save(tmp_path / 's.npy', np.zeros((11, 2, 4, 4, 3), np.uint8))
    expected = [f's#{number:02d}' for number in range(11)]
    assert names(tmp_path) == names(tmp_path / 's.npy') == expected
    assert str(list_videos(tmp_path)[0][10].path) == f'{tmp_path}/s.npy#10'


@pytest.mark.parametrize('place', ['manifest.json', 'elsewhere.json'])
def test_manifests_give_splits_and_pictures_are_not_videos(tmp_path, place):
    entries = [dict(file='a.mp4', split='train'), dict(file='b.mp4', split='test'), dict(file='p.png', split='test')]
    (tmp_path / place).write_text(json.dumps(entries))
    source = tmp_path if place == 'manifest.json' else tmp_path / place
    assert names(source) == ['a', 'b']
    assert names(source, filters=VideoFilter(split='test')) == ['b']
    assert names(source, preferred_split='test') == ['b']
    assert names(source, preferred_split='val') == ['a', 'b']
    with pytest.raises(UserError, match="has split 'val'; there are: test, train"):
        list_videos(source, VideoFilter(split='val'))


def test_impossible_sources_are_refused(tmp_path):
    with pytest.raises(UserError, match='there are no videos in'):
        list_videos(tmp_path)
    with pytest.raises(UserError, match='does not exist'):
        list_videos(tmp_path / 'gone')
    (tmp_path / 'bad.json').write_text('{')
    with pytest.raises(UserError, match='bad.json cannot be read'):
        list_videos(tmp_path / 'bad.json')
