import json
import os

import numpy as np
import pytest
from PIL import Image

from leokit.utils import UserError
from leokit.video import video_list
from leokit.video.readers import AutoReader
from leokit.video.video_list import find_videos, split_arrays


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b'')


def names(source, **options):
    return [entry.name for entry in find_videos(source, **options)]


def test_files_and_frame_folders_of_a_tree(tmp_path):
    for name in ('b.mp4', 'sub/frames/000.png', 'sub/frames/001.png', 'notes.txt', '.hidden.mp4', '.cache/c.mp4'):
        touch(tmp_path / name)
    assert names(tmp_path) == ['b', 'sub/frames']


def test_an_array_of_several_videos_becomes_that_many(tmp_path):
    np.save(tmp_path / 's.npy', np.zeros((11, 2, 4, 4, 3), np.uint8))
    np.save(tmp_path / 'one.npy', np.zeros((2, 4, 4, 3), np.uint8))
    (tmp_path / 'broken.npy').write_bytes(b'')
    items = split_arrays(find_videos(tmp_path))
    assert [item.name for item in items] == ['broken', 'one', *(f's#{number:02d}' for number in range(11))]
    assert str(items[-1].path) == f'{tmp_path}/s.npy#10'
    assert split_arrays(find_videos(tmp_path / 's.npy'))[-1] == items[-1]


def test_a_manifest_is_read_unless_it_is_to_be_ignored(tmp_path):
    for name in ('a.mp4', 'b.mp4'):
        touch(tmp_path / name)
    (tmp_path / 'manifest.json').write_text(json.dumps([dict(file='b.mp4')]))
    (tmp_path / 'other.json').write_text(json.dumps([dict(file='a.mp4', name='x')]))
    assert names(tmp_path) == names(tmp_path / 'manifest.json') == ['b']
    assert names(tmp_path, manifest=tmp_path / 'other.json') == ['x']
    assert names(tmp_path, manifest=None) == ['a', 'b']


def test_impossible_sources_are_refused(tmp_path):
    with pytest.raises(UserError, match='there are no videos in'):
        find_videos(tmp_path)
    with pytest.raises(UserError, match='does not exist'):
        find_videos(tmp_path / 'gone')
    (tmp_path / 'none.json').write_text('[]')
    with pytest.raises(UserError, match='there are no videos in'):
        find_videos(tmp_path / 'none.json')
    (tmp_path / 'bad.json').write_text('{')
    with pytest.raises(UserError, match='bad.json cannot be read'):
        find_videos(tmp_path / 'bad.json')


def test_no_ending_of_a_video_is_passed_over(tmp_path, monkeypatch):
    messages = []
    monkeypatch.setattr('leokit.video.video_list.print_log', lambda message, **_: messages.append(message))
    endings = ('mp4 MP4 MTS m2ts 3gp 3g2 ogv vob mxf asf wmv flv h264 y4m mjpeg apng f4v qt mpe m4v ts mpg divx mk3d '
               'ivf npz').split()
    for number, ending in enumerate(endings):
        touch(tmp_path / f'{number:02d}.{ending}')
    images = [Image.new('RGB', (8, 8), color) for color in ('red', 'blue')]
    images[0].save(tmp_path / 'still.webp')
    images[0].save(tmp_path / 'moving.webp', save_all=True, append_images=images[1:], duration=40)
    touch(tmp_path / 'notes.txt')
    assert [entry.path.name for entry in find_videos(tmp_path)] == [
        *(f'{number:02d}.{ending}' for number, ending in enumerate(endings)), 'moving.webp']
    assert len(messages) == 1 and '1 .txt' in messages[0] and '1 .webp' in messages[0]
    with pytest.raises(UserError, match='animated WebP is not read'):
        AutoReader().open(tmp_path / 'moving.webp')


def test_names_that_are_not_utf8_are_named_and_left_out(tmp_path, recwarn, caplog):
    touch(tmp_path / 'good.mp4')
    broken = os.path.join(os.fsencode(tmp_path), b'bad_\xff.mp4')
    try:
        open(broken, 'wb').close()
    except OSError:
        pytest.skip('the file system knows only UTF-8')
    os.mkdir(os.path.join(os.fsencode(tmp_path), b'folder_\xfe'))
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(video_list, 'warn_listed', lambda headline, names: lines.append((headline, names)))
        assert names(tmp_path) == ['good']
    (headline, listed), = lines
    assert '2 in all' in headline and sorted(os.path.basename(name) for name in listed) == [
        'bad_\\xff.mp4', 'folder_\\xfe']


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    for name in ('good/a.mp4', 'private/b.mp4'):
        touch(tmp_path / name)
    scandir, lines = os.scandir, []

    def refuse(path):  # not by the mode of the folder, which root may ignore
        if str(path).endswith('private'):
            raise PermissionError(13, 'Permission denied', str(path))
        return scandir(path)
    monkeypatch.setattr(os, 'scandir', refuse)
    monkeypatch.setattr(video_list, 'warn_listed', lambda headline, names: lines.append(names))
    assert names(tmp_path) == ['good/a']
    assert lines == [[f'{tmp_path}/private (Permission denied)']]
    with pytest.raises(UserError, match='private cannot be read'):
        find_videos(tmp_path / 'private')
