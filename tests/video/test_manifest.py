import json

import pytest

from leokit.utils import UserError
from leokit.video import read_manifest, write_manifest

ROWS = [dict(file='a/x.mp4', name='x', identity='anna', split='train', category='face', frames=10, fps=25.0),
        dict(file='y ü.mp4', identity='7', split='test')]


@pytest.mark.parametrize('suffix', ['json', 'jsonl', 'csv'])
def test_what_is_written_is_read(tmp_path, suffix):
    path = tmp_path / f'manifest.{suffix}'
    write_manifest(path, ROWS)
    first, second = read_manifest(path)
    assert (first.name, first.identity, first.split, first.category) == ('x', 'anna', 'train', 'face')
    assert (first.frames, first.fps, first.path) == (10, 25.0, tmp_path / 'a' / 'x.mp4')
    assert (second.name, second.identity, second.split, second.category) == ('y ü', '7', 'test', None)
    assert second.frames == 0 and second.path == tmp_path / 'y ü.mp4'


def test_further_keys_and_absolute_paths(tmp_path):
    row = dict(file='/data/v.mp4', size=[256, 256], source=dict(first_frame=0), frames=3, identity=None)
    (tmp_path / 'm.json').write_text(json.dumps([row]))
    entry, = read_manifest(tmp_path / 'm.json')
    assert str(entry.path) == '/data/v.mp4' and entry.identity == entry.name == '/data/v'


@pytest.mark.parametrize('name, content, message', [
    ('m.json', '[{"file": "a.mp4"', 'cannot be read'), ('m.json', '{"file": "a.mp4"}', 'not a list'),
    ('m.json', '[{"name": "a"}]', 'entry 1'), ('m.jsonl', '{"file": "a.mp4"}\n3\n', 'entry 2'),
    ('m.json', '[{"file": "a.mp4", "frames": "many"}]', 'a.mp4'), ('m.csv', 'name\na\n', 'no "file"'),
    ('m.json', '[{"file": "a.mp4"}, {"file": "a.avi"}]', "two videos named 'a'"), ('m.txt', 'a.mp4', '.txt')])
def test_problems_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message) as error:
        read_manifest(tmp_path / name)
    assert name in str(error.value)


def test_missing_file_and_unknown_suffix(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        read_manifest(tmp_path / 'm.json')
    with pytest.raises(UserError, match='must end in'):
        write_manifest(tmp_path / 'm.txt', ROWS)
