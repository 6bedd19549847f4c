import pytest

from leokit.utils.files import atomic_path, part_path, remove, write_bytes


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


def test_remove_takes_files_folders_and_nothing(tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'x').write_text('')
    remove(tmp_path / 'folder')
    remove(tmp_path / 'folder')
    assert list(tmp_path.iterdir()) == []
