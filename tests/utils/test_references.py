import copy

import pytest
from mmengine.config import Config

from leokit.utils import UserError, load_config, resolve_references
from leokit.utils.references import with_references


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


def test_invalid_references_are_errors():
    with pytest.raises(UserError, match=r"model\.size refers to \$sice, but there is no top-level key 'sice'"):
        resolve_references(Config(dict(size=3, model=dict(size='$sice'))))
    with pytest.raises(UserError, match=r"codes refers to \${rot}, but there is no top-level key 'rot'"):
        resolve_references(Config(dict(root='a', codes='${rot}_codes')))
    with pytest.raises(UserError, match='refers back to itself'):
        resolve_references(Config(dict(a='$b', b='$a', model=dict(size='$a'))))
    with pytest.raises(UserError, match='refers back to itself'):
        resolve_references(Config(dict(a='$b', b=dict(c='$a'))))


def test_a_saved_config_accepts_the_same_overrides(tmp_path):
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


def test_a_config_without_references_is_unchanged():
    config = Config(dict(a=1, b=[dict(c=2)]))
    assert with_references(config).to_dict() == config.to_dict()


def test_a_key_changed_after_its_references_were_resolved(file, tmp_path):
    config = load_config(file)
    config.size = 32
    with_references(config).dump(tmp_path / 'b.py')
    assert load_config(tmp_path / 'b.py').to_dict() == config.to_dict()


@pytest.mark.parametrize('content', [
    dict(a='$b', b='$a'), dict(a=dict(inner='$a')), dict(a=dict(x='$b'), b=dict(y='$a')), dict(a=['$b'], b=['$a']),
    dict(a=['$b'] * 9, b=['$a'] * 9), {f'k{i}': [f'$k{i + 1}'] * 10 for i in range(7)} | dict(k7=1)])
def test_circles_and_multiplying_references_are_errors(content):
    with pytest.raises(UserError, match='back to (itself|themselves)'):
        resolve_references(Config(content))
