import json
import math

import pytest

from leokit.utils import UserError
from leokit.utils.files import atomic_path, part_path, remove, write_bytes, write_json


def test_part_path_keeps_the_suffix(tmp_path):
    assert part_path(tmp_path / 'a.mp4') == tmp_path / 'a.part.mp4'
    assert part_path(tmp_path / 'frames') == tmp_path / 'frames.part'


def test_a_file_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / 'new' / 'a.txt'
    with atomic_path(path) as part:
        part.write_text('whole')
        assert not path.exists()
    assert path.read_text() == 'whole'
    assert [entry.name for entry in path.parent.iterdir()] == ['a.txt']


def test_an_exception_keeps_the_old_file_and_leaves_no_part(tmp_path):
    path = tmp_path / 'a.txt'
    write_bytes(path, b'old')
    with pytest.raises(KeyboardInterrupt):
        with atomic_path(path) as part:
            part.write_text('half')
            raise KeyboardInterrupt
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_new_folders_of_a_file_that_was_not_written_vanish(tmp_path):
    (tmp_path / 'old').mkdir()
    for path in (tmp_path / 'a/b/c.txt', tmp_path / 'old/c.txt'):
        with pytest.raises(KeyboardInterrupt):
            with atomic_path(path) as part:
                part.write_text('half')
                raise KeyboardInterrupt
    assert list(tmp_path.rglob('*')) == [tmp_path / 'old']
    with pytest.raises(KeyboardInterrupt):
        with atomic_path(tmp_path / 'a/b/c.txt'):
            write_bytes(tmp_path / 'a/other.txt', b'x')
            raise KeyboardInterrupt
    assert sorted(tmp_path.rglob('*')) == [tmp_path / 'a', tmp_path / 'a/other.txt', tmp_path / 'old']


def test_remove_accepts_files_folders_and_missing_paths(tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'x').write_text('')
    remove(tmp_path / 'folder')
    remove(tmp_path / 'folder')
    assert list(tmp_path.iterdir()) == []


def test_json_has_null_for_numbers_that_are_not_finite(tmp_path):
    write_json(tmp_path / 'new' / 'a.json', dict(a=[1.5, math.nan, (math.inf, 2)], b=dict(c=-math.inf, d='x')))
    content = json.loads((tmp_path / 'new' / 'a.json').read_text())
    assert content == dict(a=[1.5, None, [None, 2]], b=dict(c=None, d='x'))
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot write'):
        write_json(tmp_path / 'file' / 'a.json', {})
