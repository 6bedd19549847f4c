"""Values of the command line: strings stay as typed, everything else is a Python value."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from leokit.cli.commands import build_parser
from leokit.utils import UserError, load_config
from leokit.utils.option_text import OptionText, read_options

CONFIG = """
data_root = 'videos'
size = 64
frame_cache = None
filters = dict(split='train')
names = ['a', 'b']
side = '$size'
model = dict(root='$data_root', size='$size', codes='${data_root}_codes', steps=(1, 2), label='x', limit=None)
"""


def read(file, *options):
    """The config as a command line overrides it."""
    args = build_parser().parse_args(['train', str(file), '--cfg-options', *options])
    return load_config(args.config, args.cfg_options)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize('text', ['a b', '/my videos/x, y', '12', '1,2', 'True', '1e5', '[a]', "it's", 'a(b', '007'])
@pytest.mark.parametrize('key', ['data_root', 'model.root', 'model.codes', 'model.label', 'filters.split',
                                 'frame_cache', 'work_dir', 'load_from'])
def test_strings_stay_as_typed(file, key, text):
    value = read(file, f'{key}={text}')
    for name in key.split('.'):
        value = value[name]
    assert value == text and type(value) is str


@pytest.mark.parametrize('text, value', [
    ('12', 12), ('-1', -1), ('1e-3', 0.001), ('true', True), ('None', None), ('abc', 'abc'), ('[1,2]', [1, 2]),
    ('1,2', [1, 2]), ('(0, 0.8)', (0, 0.8)), ('[(1,a),[b]]', [(1, 'a'), ['b']]), ("'12'", '12'), ('a b', 'a b'),
    ('dict(type=L1Loss,weight=2)', dict(type='L1Loss', weight=2)), ("{'a': [1], 'b': 'c,d'}", dict(a=[1], b='c,d')),
    ("[dict(a='x'),dict(a=y)]", [{'a': 'x'}, {'a': 'y'}])])
@pytest.mark.parametrize('key', ['size', 'model.limit', 'model.steps'])
def test_other_keys_take_python_values(file, key, text, value):
    found = read(file, f'{key}={text}')
    for name in key.split('.'):
        found = found[name]
    assert found == value and isinstance(found, type(value)) and isinstance(found, bool) == isinstance(value, bool)


def test_lists_of_strings_keep_their_items_as_typed(file):
    assert read(file, """names=[007,'True',"a, b"]""").names == ['007', 'True', 'a, b']


def test_strings_can_be_unset_or_replaced_by_a_dict(file):
    config = read(file, 'data_root=None', 'model.label=dict(type=A)', 'names=None')
    assert config.data_root is None and config.names is None and config.model.label == {'type': 'A'}


def test_a_key_that_is_not_there_can_be_set_to_a_dict(file):
    config = read(file, 'visualizer=dict(type=Visualizer,vis_backends=[dict(type=A)])', 'frame_cache=dict(a=1)')
    assert config.visualizer == dict(type='Visualizer', vis_backends=[dict(type='A')])
    assert config.frame_cache == dict(a=1)


def test_references_are_reached_with_the_type_of_their_key(file):
    assert read(file, 'size=32').model.size == 32
    assert read(file, 'model.size=32').model.size == 32
    assert read(file, 'data_root=1,2').model.codes == '1,2_codes'


@pytest.mark.parametrize('text', ['dict(', '[1', '1]', '[1)', 'dict(a)', "['a]", '(' * 100 + ')' * 100])
def test_unreadable_values_are_named(file, text):
    with pytest.raises(UserError, match='the option size=.* cannot be read'):
        read(file, f'size={text}')


def test_values_of_python_calls_are_not_reinterpreted(file):
    assert load_config(file, {'size': '12'}).size == '12'


def test_arguments_are_read_as_annotated():
    def function(path: str | Path, box: Sequence[float], names: Sequence[str] = (), *, limit: int | None = None,
                 mode: str = 'a', other=None):
        pass
    texts = dict(path='1,2', box='0,0.5', names='01,b c', limit='3', mode='True', other='5', unknown='5')
    assert read_options({key: OptionText(text) for key, text in texts.items()}, function) == dict(
        path='1,2', box=[0, 0.5], names=['01', 'b c'], limit=3, mode='True', other=5, unknown=5)


def test_editors_and_extractors_take_paths_as_typed(tmp_path):
    from leokit.evaluation import build_jobs, load_protocol
    with pytest.raises(UserError, match='weights, 1.pt'):
        build_jobs(['fvd'], load_protocol('quick'), {'': 'I3D'},
                   {'I3D': {'weights': OptionText(str(tmp_path / 'weights, 1.pt'))}})
