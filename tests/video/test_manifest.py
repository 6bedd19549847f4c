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
    ('m.csv', 'file,name,split\nx/a.mp4,one,train\ny/../x/a.mp4,two,test\n',
     "two splits: 'one' in train, 'two' in test"),
    ('m.json', '[{"file": "a.mp4"}, {"file": "a.avi"}]', "two videos named 'a'"), ('m.txt', 'a.mp4', '.txt'),
    ('m.json', '[{"file": "."}]', 'names no file'), ('m.json', r'[{"file": "a\u0000.mp4"}]', 'no file name can have'),
    ('m.json', r'[{"file": "a\ud800.mp4"}]', 'no file name'),
    ('m.json', r'[{"file": "a", "name": "\ud800"}]', 'name has'),
    ('m.json', '[{"file": "a.mp4", "fps": 1e-9}]', 'at least 0.001')])
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


TABLE = [('clip0.mp4', 'a', 'train'), ('clip1.mp4', 'b', 'test')]


def read_text(tmp_path, text, suffix='csv', encoding='utf-8'):
    (tmp_path / f'm.{suffix}').write_bytes(text.encode(encoding))
    return read_manifest(tmp_path / f'm.{suffix}')


@pytest.mark.parametrize('text, encoding', [
    ('file, identity, split\nclip0.mp4, a, train\nclip1.mp4, b , test\n', 'utf-8'),
    ('file;identity;split\nclip0.mp4;a;train\nclip1.mp4;b;test\n', 'utf-8'),
    ('file\tidentity\tsplit\nclip0.mp4\ta\ttrain\nclip1.mp4\tb\ttest\n', 'utf-8-sig'),
    ('file,identity,split\nclip0.mp4,a,train\nclip1.mp4,b,test\n', 'utf-16'),
    (',file,identity,split\r\n0,clip0.mp4,a,Train\r\n1,clip1.mp4,b,TEST\r\n\r\n', 'utf-8'),
    ('\n"file" ; "identity" ; split\n"clip0.mp4";a;train;\nclip1.mp4;b;test;\n', 'utf-8')])
def test_tables_of_spreadsheets_and_pandas(tmp_path, text, encoding):
    entries = read_text(tmp_path, text, encoding=encoding)
    assert [(entry.path.name, entry.identity, entry.split) for entry in entries] == TABLE


def test_nan_is_no_identity_and_no_split(tmp_path):
    text = '[{"file": "a.mp4", "identity": NaN, "split": NaN, "frames": NaN}, {"file": "b.mp4", "identity": null}]'
    for entry in (*read_text(tmp_path, text, 'json'),
                  *read_text(tmp_path, 'file,identity,split\nx/a.mp4,nan,NaN\ny.mp4,<NA>,\n')):
        assert entry.identity == entry.name and entry.split is None and entry.frames == 0


def test_numbers_and_splits_as_people_write_them(tmp_path):
    text = 'file,identity,split,frames,fps\n0.mp4,7,Train,12.0,30000/1001\n1.mp4,8,VALID,,\n2.mp4,9,TEST,3,25.0\n'
    first, second, third = read_text(tmp_path, text)
    assert (first.split, second.split, third.split) == ('train', 'val', 'test')
    assert (first.frames, second.frames, third.frames) == (12, 0, 3)
    assert first.fps == pytest.approx(29.97002997) and (second.fps, third.fps) == (0.0, 25.0)
    rows = '[{"file": "a.mp4", "identity": 7}, {"file": "b.mp4", "identity": 7.0}, {"file": "c.mp4", "identity": "7"}]'
    assert {entry.identity for entry in read_text(tmp_path, rows, 'json')} == {'7'}


@pytest.mark.parametrize('text, suffix, message', [
    ('[{"file": "a.mp4"}, {"file": "b.mp4", "frames": 1e400}]', 'json', 'entry 2 .*b.mp4.: frames is inf'),
    ('[{"file": "b.mp4", "fps": Infinity}]', 'json', 'entry 1 .*fps is inf, but must be between 0 and 1e\\+06'),
    ('[{"file": "b.mp4", "frames": -1}]', 'json', 'frames is -1'),
    ('[{"file": "b.mp4", "frames": 1.5}]', 'json', 'frames is 1.5, but must be a whole number'),
    ('[{"file": "b.mp4", "frames": [3]}]', 'json', 'frames is .3., but must be a number'),
    ('file,fps\nb.mp4,1/0\n', 'csv', "fps is '1/0', but must be a number"),
    ('# my list\nfile,identity\nb.mp4,a\n', 'csv', "first line '# my list' has no \"file\" column"),
    ('file,identity\nb.mp4,a\na, b.mp4,c\n', 'csv', 'line 3 has 3 values for 2 columns'),
    ('file,identity\na.mp4,"anna\nb.mp4,bert\n', 'csv', 'line 2 has a quote that is not closed'),
    ('[' * 100_000, 'json', 'nested too deeply')])
def test_absurd_values_are_one_sentence(tmp_path, text, suffix, message):
    with pytest.raises(UserError, match=message) as error:
        read_text(tmp_path, text, suffix)
    assert '\n' not in str(error.value)


def test_another_encoding_is_named(tmp_path):
    with pytest.raises(UserError, match='line 2 is not UTF-8; save it with that encoding'):
        read_text(tmp_path, 'file,identity\nb.mp4,Jos\xe9\n', encoding='latin-1')
