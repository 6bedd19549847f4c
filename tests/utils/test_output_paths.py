import pytest

from leokit.utils import UserError
from leokit.utils.output_paths import OutputPaths


@pytest.mark.parametrize('name, file', [
    ('a', 'a.mp4'), ('test/a.b', 'test/a.b.mp4'), ('../a', 'a.mp4'), ('/data/raw/a', 'data/raw/a.mp4'),
    ('x/../../y/./a', 'x/y/a.mp4'), ('//host/a', 'host/a.mp4'), ('..\\..\\a', 'a.mp4')])
def test_names_lead_below_the_folder(tmp_path, name, file):
    assert OutputPaths(tmp_path)(name, '.mp4') == tmp_path / file


@pytest.mark.parametrize('name', ['', '..', '/', 'a\0b', 'a/' + 300 * 'x', '\ud800'])
def test_names_of_no_file_are_refused(tmp_path, name):
    with pytest.raises(UserError, match='the video name .* file name'):
        OutputPaths(tmp_path)(name, '.mp4')


def test_one_name_per_file(tmp_path):
    paths = OutputPaths(tmp_path)
    assert paths('a') == paths('a')
    with pytest.raises(UserError, match='different names'):
        paths('/a')
