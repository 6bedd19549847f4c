"""Selecting videos by any key of their entries."""

import pytest
from support.calling import call_command
from support.datasets import write_dataset

from leokit.data_tools.selection import Condition, lookup, select_data
from leokit.utils import UserError
from leokit.video.manifest import read_rows

ROWS = [
    dict(file='a.mp4', identity='p', made_by='M', source=dict(fps=30)),
    dict(file='b.mp4', identity='p', source=dict(fps=12.5)),
    dict(file='c.mp4', identity='p', source=dict(fps=30), fps=25),
    dict(file='d.mp4', identity='q', source=dict(fps=None)),
    dict(file='e.mp4', identity='q', source=dict(fps=15)),
]


@pytest.fixture
def data(tmp_path):
    return write_dataset(tmp_path / 'data', ROWS)


def names(data, *conditions, **options):
    return [row['name'] for row in select_data(data, data, [Condition.parse(text) for text in conditions], **options)]


@pytest.mark.parametrize('conditions, expected', [
    ((), 'abcde'), (['made_by=M'], 'a'), (['made_by='], 'bcde'), (['made_by!='], 'a'), (['made_by!=M'], 'bcde'),
    (['source.fps>=15'], 'ace'), (['source.fps<=15'], 'be'), (['source.fps=30'], 'ac'),
    (['source.fps>=15', 'made_by='], 'ce'), (['identity=q'], 'de'), (['name!=a', 'identity=p'], 'bc')])
def test_conditions(data, conditions, expected):
    assert names(data, *conditions) == list(expected)


def test_the_first_videos_of_each_identity(data):
    assert names(data, per_identity=1) == ['a', 'd']
    assert names(data, 'source.fps>=15', 'made_by=', per_identity=1) == ['c', 'e']


def test_the_rate_of_another_key_and_all_other_keys_are_kept(data):
    rows = select_data(data, data, [Condition.parse('source.fps>=30')], fps_key='source.fps')
    assert [row['fps'] for row in rows] == [30, 30]  # c had 25
    assert rows[0] == dict(file='a.mp4', name='a', identity='p', made_by='M', source=dict(fps=30), fps=30)
    with pytest.raises(UserError, match=r'1 videos have no rate at source.fps \(d\).*--where "source.fps!="'):
        select_data(data, data, fps_key='source.fps')


@pytest.mark.parametrize('condition, message', [
    ('made_by=N', 'none of the 5 videos'), ('colour=red', "has the key 'colour'")])
def test_what_leaves_nothing(data, condition, message):
    with pytest.raises(UserError, match=message):
        names(data, condition)


def test_a_path_stops_at_a_value_that_is_no_entry():
    assert lookup({'a': {'b': {'c': 1}}}, 'a.b.c') == 1
    assert lookup({'a.b': 2, 'a': {'b': 3}}, 'a.b') == 2
    assert lookup({'a': 1}, 'a.b') is None is lookup({}, 'a')


def test_the_command(data, tmp_path):
    out = tmp_path / 'few.json'
    words = ('data select', '--videos', data, '--where', 'made_by=', 'source.fps>=15', '--out', out)
    status, said = call_command(*words)
    assert status == 0 and f'{out}: 2 videos of 2 identities' in said
    assert [(entry.name, row['source']) for entry, row in read_rows(out)] == [('c', dict(fps=30)), ('e', dict(fps=15))]
    assert read_rows(out)[0][0].path.resolve() == (data / 'c.mp4').resolve()
    assert call_command(*words)[0] == 2  # exists already
    for text, message in (('made_by', 'not of the form'), ('fps>=fast', "'fast', which is not a number"),
                          ('fps<=nan', "'nan', which is not a number")):
        status, said = call_command('data select', '--videos', data, '--where', text, '--out', tmp_path / 'x.json')
        assert status == 2 and message in said
