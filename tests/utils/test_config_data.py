"""The config of a checkpoint is data: written whole, read back equal, never executed."""

import math

import pytest
from mmengine.config import Config

from leokit.utils import UserError, load_config, resolve_references
from leokit.utils.config_data import config_from_checkpoint, config_to_data, parse_config
from leokit.utils.shipped import config_names

VALUES = dict(a=1, b=[1.5, -2, 1e-4], c=('x', None, True), d={'e-f': dict(g=(1,)), 3: 'h'}, i=float('inf'), j='a\nb',
              k=dict(type='A', l=[dict(type='B'), dict()]), m=-0.5, n={})


def test_texts_of_configs_are_parsed():
    text = Config(dict(VALUES, folder='x')).pretty_text
    assert parse_config(text) == dict(VALUES, folder='x')
    assert math.isnan(parse_config('a = nan')['a'])
    assert parse_config("a = PosixPath('/x/y')") == dict(a='/x/y')


@pytest.mark.parametrize('name', [name for name, file in config_names().items() if file.parent.name != 'ablations'])
def test_every_shipped_config_survives_the_way_there_and_back(name):
    config = load_config(name)
    data = config_to_data(config)
    for carried in (data, config.pretty_text):  # of a new and of an old checkpoint
        restored = config_from_checkpoint(dict(meta=dict(cfg=carried)), 'it')
        assert resolve_references(restored).to_dict() == config.to_dict()


def test_references_are_kept(tmp_path):
    (tmp_path / 'a.py').write_text("size = 64\nmodel = dict(type='A', size='$size')\n")
    assert config_to_data(load_config(tmp_path / 'a.py'))['model']['size'] == '$size'
    assert config_to_data(load_config(tmp_path / 'a.py', {'model.size': 3}))['model']['size'] == 3


def test_what_is_not_plain_is_kept_as_text(tmp_path):
    data = config_to_data(Config(dict(folder=tmp_path, model=dict(type=dict, sizes={1}))))
    assert data == dict(folder=str(tmp_path), model=dict(type="<class 'dict'>", sizes='{1}'))


@pytest.mark.parametrize('text', [
    "a = __import__('os').system('true')", "import os", "a = open('x')", 'a = dict(**{"b": 1})', 'a.b = 3',
    "a = [b for b in ()]", "a = b", 'a = dict(', 'a = dict(open("x"))', '(' * 9999])
def test_code_is_refused(text):
    with pytest.raises(UserError, match='the config in x.pth is not plain data .*; pass the config file'):
        config_from_checkpoint(dict(meta=dict(cfg=text)), 'x.pth')


def test_a_checkpoint_without_a_config():
    for checkpoint in (dict(), dict(meta=dict()), dict(meta=dict(cfg=[1]))):
        with pytest.raises(UserError, match='x.pth carries no config'):
            config_from_checkpoint(checkpoint, 'x.pth')
