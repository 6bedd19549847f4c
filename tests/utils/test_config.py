import sys

import pytest

from leokit.registry import LONG_VIDEO
from leokit.utils import UserError, load_config


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'a.py'
    path.write_text("size = 64\nside = '$size'\nmodel = dict(size='$side', parts=[dict(size='$size'), ('$size', 3)])\n")
    return path


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        load_config(tmp_path / 'a.py')
    (tmp_path / 'a.py').write_text('model = dict(')
    with pytest.raises(UserError, match='cannot be read'):
        load_config(tmp_path / 'a.py')


@pytest.mark.parametrize('options, sentence', [
    (dict(sice=3), "the option sice has no effect: the config has no top-level key 'sice'; did you mean 'size'"),
    ({'modl.size': 3}, "no top-level key 'modl'; did you mean 'model'"),
    ({'model.parts.7.size': 3}, r'the options model\.parts\.7\.size do not fit the config')])
def test_options_without_effect_are_errors(file, options, sentence):
    with pytest.raises(UserError, match=sentence):
        load_config(file, options)


def test_options_fill_keys_that_are_none(tmp_path):
    (tmp_path / 'a.py').write_text('long_video = None\nmodel = dict(training=None, list=[dict(size=None)])\n')
    config = load_config(tmp_path / 'a.py', {'long_video.type': 'Overlap', 'long_video.overlap': 4,
                                             'model.training.a.b': 1, 'model.list.0.size': 3})
    assert config.long_video == dict(type='Overlap', overlap=4)
    assert config.model == dict(training=dict(a=dict(b=1)), list=[dict(size=3)])


@pytest.mark.parametrize('options, sentence', [
    ({'long_video.gian': 1.02}, "no 'type'"),
    ({'long_video.type': 'CalibratedOverlap', 'long_video.gian': 1.02}, "no argument 'gian'; did you mean 'gain'"),
    ({'long_video.type': 'CalibratedOverlp'}, "did you mean 'CalibratedOverlap'"),
    ({'long_vido.type': 'Overlap'}, "no top-level key 'long_vido'.*did you mean 'long_video'"),
    ({'load_from.path': 'a.pth'}, 'load_from.path do not fit the config'),
])
def test_misspelled_keys_below_none_are_errors(tmp_path, options, sentence):
    (tmp_path / 'a.py').write_text('long_video = None\nload_from = None\n')
    with pytest.raises(UserError, match=sentence):
        config = load_config(tmp_path / 'a.py', options)
        LONG_VIDEO.build(config.long_video)


def test_options_can_name_imports(file, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / 'parts_of_mine.py').write_text('imported = True\n')
    load_config(file, {'custom_imports.imports': ['parts_of_mine']})
    assert sys.modules.pop('parts_of_mine').imported
    with pytest.raises(UserError, match='custom_imports of the options cannot be imported: .*not_there'):
        load_config(file, {'custom_imports.imports': ['not_there']})


def test_options_can_set_any_key_that_the_runner_reads(file):
    assert load_config(file, {'compile.mode': 'default', 'load_from': 'a.pth'}).compile.mode == 'default'


@pytest.mark.parametrize('name', ['config.yaml', 'config.yml', 'config.json'])
def test_only_python_files_are_configs(tmp_path, name):
    """MMEngine's loader of YAML would run this."""
    (tmp_path / name).write_text(f'a: !!python/object/apply:os.mkdir [{tmp_path}/run]')
    with pytest.raises(UserError, match='not a Python file'):
        load_config(tmp_path / name)
    assert not (tmp_path / 'run').exists()
