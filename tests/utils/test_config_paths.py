"""Files that a config names are found from its own folder, wherever a command runs."""

import os
import signal
import time

import pytest
from mmengine.config import Config

from leokit.utils import UserError, load_config, run_tool
from leokit.utils.config import read_config


@pytest.fixture
def project(tmp_path, monkeypatch):
    """``project/configs/sub/mine.py`` inherits from ``project/configs/base.py``; commands run elsewhere."""
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    configs = tmp_path / 'project' / 'configs'
    (configs / 'sub').mkdir(parents=True)
    for name in ('videos', 'sub/work'):
        (configs / name).mkdir()
    (configs / 'base.py').write_text("data_root = 'videos'\nsize = 64\nmodel = dict(size='$size')\n")
    (configs / 'sub/mine.py').write_text(
        "_base_ = '../base.py'\nanimator = dict(config='part.py', checkpoint='work')\nload_from = 'not_there.pth'\n"
        "protocol = 'quick'\ncodes = dict(codes_dir='${data_root}_codes')\nlabel = 'work'\n")
    (configs / 'sub/part.py').write_text('')
    (configs / 'sub/quick').write_text('')
    return configs


def test_paths_are_those_next_to_the_config_or_its_bases(project):
    config = load_config(project / 'sub/mine.py')
    assert config.animator == dict(config=str(project / 'sub/part.py'), checkpoint=str(project / 'sub/work'))
    assert config.data_root == str(project / 'videos') and config.codes.codes_dir == f'{project}/videos_codes'


def test_other_paths_and_names_are_kept(project):
    config = load_config(project / 'sub/mine.py')
    assert (config.load_from, config.protocol, config.label) == ('not_there.pth', 'quick', 'work')


def test_options_are_paths_of_the_current_folder(project):
    assert load_config(project / 'sub/mine.py', {'data_root': 'videos'}).data_root == 'videos'


def test_a_relative_name_of_the_config_gives_the_same(project, monkeypatch):
    monkeypatch.chdir(project)
    config = load_config('sub/mine.py')
    monkeypatch.chdir(project.parent)
    assert load_config('configs/sub/mine.py')._cfg_dict == config._cfg_dict


def test_options_reach_the_references_of_a_loaded_config(project):
    config = load_config(project / 'sub/mine.py')
    changed = read_config(config, {'size': 32})
    assert changed.model.size == 32 and config.model.size == 64 and changed.filename == config.filename
    assert read_config(read_config(changed), {'size': 16}).model.size == 16


def test_functions_are_no_values(tmp_path):
    (tmp_path / 'a.py').write_text('model = dict(sizes=[1, len])\n')
    with pytest.raises(UserError, match=r'its model.sizes.1 is <built-in function len>'):
        load_config(tmp_path / 'a.py')


def test_a_signal_during_the_reading_of_a_config_ends_the_program(tmp_path, monkeypatch):
    def interrupted(path):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    (tmp_path / 'a.py').write_text('size = 3')
    monkeypatch.setattr(Config, 'fromfile', interrupted)
    with pytest.raises(SystemExit) as leaving:
        run_tool(lambda: load_config(tmp_path / 'a.py'))
    assert leaving.value.code == 143


def test_a_config_that_exits_is_an_error(tmp_path):
    (tmp_path / 'a.py').write_text('import sys\nsys.exit(0)\n')
    with pytest.raises(UserError, match=r'cannot be read: it calls exit\(0\)'):
        load_config(tmp_path / 'a.py')
