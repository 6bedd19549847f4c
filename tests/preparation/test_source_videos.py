"""Files of videos are found by the names that download programs give them."""

import pytest

from leokit.preparation import ClipRecord
from leokit.preparation.source_videos import find_source_videos
from leokit.utils import UserError

IDS = ('aaaaaaaaaaa', '-bbbbbbbbb_', '_c-c_c-c_c-', 'ddddddddddd', 'eeeeeeeeeee', 'fffffffffff')


def record(video, name=None):
    return ClipRecord(name or f'{video}_0', video, None, None, video)


def test_names_of_files(tmp_path):
    files = ('aaaaaaaaaaa.mp4', 'some title--bbbbbbbbb_.mkv', 'deep/Title [x] [_c-c_c-c_c-].webm',
             'id10001/ddddddddddd/1.6.mp4', 'eeeeeeeeeee_0.mp4', 'aaaaaaaaaaa.part.mp4', 'Aaaaaaaaaaa.txt')
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b'x')
    found = find_source_videos(tmp_path, [*map(record, IDS), record('fffffffffff', 'f_2')])
    assert {video: path.relative_to(tmp_path).as_posix() for video, path in found.videos.items()} == {
        'aaaaaaaaaaa': files[0], '-bbbbbbbbb_': files[1], '_c-c_c-c_c-': files[2], 'ddddddddddd': files[3]}
    assert {name: path.name for name, path in found.clips.items()} == {'eeeeeeeeeee_0': 'eeeeeeeeeee_0.mp4'}
    assert found.missing == {'fffffffffff': 2} and found.notes == []


def test_of_several_files_the_largest_is_taken_and_named(tmp_path):
    (tmp_path / 'low').mkdir()
    (tmp_path / 'low' / 'aaaaaaaaaaa.mp4').write_bytes(b'x')
    (tmp_path / 'aaaaaaaaaaa.mkv').write_bytes(b'xx')
    found = find_source_videos(tmp_path, [record('aaaaaaaaaaa')])
    assert found.videos['aaaaaaaaaaa'].name == 'aaaaaaaaaaa.mkv'
    assert found.notes == ['aaaaaaaaaaa has 2 files, and the largest was used: aaaaaaaaaaa.mkv, low/aaaaaaaaaaa.mp4']


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match='is no folder'):
        find_source_videos(tmp_path / 'nowhere', [])
