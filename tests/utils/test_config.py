import copy
import sys

import pytest
from mmengine.config import Config

from leokit.utils import UserError, load_config, resolve_references
from leokit.utils.config import with_references


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'a.py'
    path.write_text("size = 64\nside = '$size'\nmodel = dict(size='$side', parts=[dict(size='$size'), ('$size', 3)])\n")
    return path


def test_references_reach_every_part(file):
    config = load_config(file)
    assert config.model == dict(size=64, parts=[dict(size=64), (64, 3)])
    assert load_config(file, dict(size=32)).model.parts[0].size == 32
    assert load_config(file, {'model.parts.0.size': 8}).model.parts[0].size == 8


def test_references_within_a_text():
    config = Config(dict(root='/videos/', codes='${root}_codes', size=3,
                         model=dict(codes='$codes', name='${root}/${size}')))
    assert resolve_references(config).model == dict(codes='/videos_codes', name='/videos/3')


def test_bad_references_are_named():
    with pytest.raises(UserError, match=r"model\.size refers to \$sice, but there is no top-level key 'sice'"):
        resolve_references(Config(dict(size=3, model=dict(size='$sice'))))
    with pytest.raises(UserError, match=r"codes refers to \${rot}, but there is no top-level key 'rot'"):
        resolve_references(Config(dict(root='a', codes='${rot}_codes')))
    with pytest.raises(UserError, match='refers back to itself'):
        resolve_references(Config(dict(a='$b', b='$a', model=dict(size='$a'))))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        load_config(tmp_path / 'a.py')
    (tmp_path / 'a.py').write_text('model = dict(')
    with pytest.raises(UserError, match='cannot be read'):
        load_config(tmp_path / 'a.py')


@pytest.mark.parametrize('options, sentence', [
    (dict(sice=3), "the option sice fits nothing: the config has no top-level key 'sice'; did you mean 'size'"),
    ({'modl.size': 3}, "no top-level key 'modl'; did you mean 'model'"),
    ({'model.parts.7.size': 3}, r'the options model\.parts\.7\.size do not fit the config')])
def test_options_that_fit_nothing_are_refused(file, options, sentence):
    with pytest.raises(UserError, match=sentence):
        load_config(file, options)


def test_options_may_name_imports(file, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'parts_of_mine.py').write_text('imported = True\n')
    load_config(file, {'custom_imports.imports': ['parts_of_mine']})
    assert sys.modules.pop('parts_of_mine').imported
    with pytest.raises(UserError, match='custom_imports of the options cannot be imported: .*not_there'):
        load_config(file, {'custom_imports.imports': ['not_there']})


def test_options_may_set_what_the_runner_reads(file):
    assert load_config(file, {'compile.mode': 'default', 'load_from': 'a.pth'}).compile.mode == 'default'


def test_what_is_saved_can_be_overridden_in_the_same_places(tmp_path):
    (tmp_path / 'a.py').write_text("""
data_root = 'videos'
size = 64
train = dict(root='$data_root', codes='${data_root}_codes', size='$size', sizes=['$size', 1])
""")
    config = copy.deepcopy(load_config(tmp_path / 'a.py', {'data_root': 'here'}))  # as a runner does
    config.train.size, config.new = 32, dict(a=1)  # as a tool does
    with_references(config).dump(tmp_path / 'b.py')
    again = load_config(tmp_path / 'b.py')
    assert again.to_dict() == config.to_dict()
    moved = load_config(tmp_path / 'b.py', {'data_root': 'there', 'size': 16}).train
    assert moved.to_dict() == dict(root='there', codes='there_codes', size=32, sizes=[16, 1])


def test_a_config_that_was_never_resolved_stays_as_it_is():
    config = Config(dict(a=1, b=[dict(c=2)]))
    assert with_references(config).to_dict() == config.to_dict()


def test_a_key_changed_behind_its_references_does_not_drag_them_along(file, tmp_path):
    config = load_config(file)
    config.size = 32
    with_references(config).dump(tmp_path / 'b.py')
    assert load_config(tmp_path / 'b.py').to_dict() == config.to_dict()
