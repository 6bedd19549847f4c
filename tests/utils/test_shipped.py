"""Configs by file, name and path in a clone."""

from pathlib import Path

import pytest

from leokit.utils import UserError, load_config, shipped
from leokit.utils.shipped import config_names, config_root, find_config


def test_configs_by_name_and_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there is no folder configs
    expected = config_root() / 'lia' / 'lia_celebv_256.py'
    for config in ('lia_celebv_256', 'configs/lia/lia_celebv_256.py', Path('configs/lia/lia_celebv_256.py'), expected):
        assert find_config(config) == expected
    assert load_config('lia_celebv_256').model.type == 'Animator'


def test_names_are_unique():
    root = config_root()
    files = [file for file in root.rglob('*.py') if '_base_' not in file.relative_to(root).parts]
    assert len(config_names()) == len(files)


def test_a_wheel_has_its_configs_in_the_package(tmp_path, monkeypatch):
    (tmp_path / 'mine.py').write_text('size = 1')
    monkeypatch.setattr(shipped, 'CONFIG_FOLDERS', (tmp_path / 'none', tmp_path))
    assert find_config('mine') == tmp_path / 'mine.py'
    monkeypatch.setattr(shipped, 'CONFIG_FOLDERS', (tmp_path / 'none',))
    with pytest.raises(UserError, match='has no configs'):
        config_root()


@pytest.mark.parametrize('config, message', [
    ('lia_celeb_256', "lia_celeb_256 does not exist.*did you mean 'lia_celebv_256'"),
    ('configs/lia/lia_celebv.py', "did you mean 'lia_celebv_256'"), ('lia_celebv_256.py', 'does not exist'),
    ('/configs/lia/lia_celebv_256.py', 'does not exist')])
def test_unknown_configs(config, message):
    with pytest.raises(UserError, match=message):
        find_config(config)
