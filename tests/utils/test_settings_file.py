import json

import pytest

from leokit.utils import UserError
from leokit.utils.settings_file import changed_keys, check_settings, lock_settings

SETTINGS = dict(seed=1, sizes=(64, 32), model=dict(width=8), crop='center')


def lock(path, **changes):
    lock_settings(path, {**SETTINGS, **changes}, subject=f'{path.parent} holds clips', remedy='choose another folder')


def test_settings_are_recorded_once(tmp_path):
    path = tmp_path / 'settings.json'
    lock(path)
    content = path.read_bytes()
    assert json.loads(content) == dict(SETTINGS, sizes=[64, 32])
    lock(path)
    assert path.read_bytes() == content


def test_other_settings_are_refused_by_name(tmp_path):
    path = tmp_path / 'settings.json'
    lock(path)
    with pytest.raises(UserError, match=r'holds clips of other settings \(seed=1, not 2\); choose another folder'):
        lock(path, seed=2)
    with pytest.raises(UserError, match=r'\(crop=center, not none, other model, other sizes\)'):
        lock(path, crop='none', model=dict(width=4), sizes=(64,))
    with pytest.raises(UserError, match=r'\(new=None, not 3\)'):
        lock(path, new=3)
    assert json.loads(path.read_text())['seed'] == 1


@pytest.mark.parametrize('content', [None, '{', '3'])
def test_unknown_settings_are_refused(tmp_path, content):
    path = tmp_path / 'settings.json'
    if content is not None:
        path.write_text(content)
        with pytest.raises(UserError, match='damaged'):
            lock(path)
    with pytest.raises(UserError, match=r'unknown settings .*settings.json is missing or damaged.*; delete it'):
        check_settings(path, SETTINGS, subject='it holds clips', remedy='delete it')


def test_selected_keys_are_compared_in_their_order():
    before, after = dict(a=1, b=2, c=3), dict(a=0, b=2, d=4)
    assert changed_keys(before, after) == ['a', 'c', 'd']
    assert changed_keys(before, after, ('d', 'b', 'a', 'e')) == ['d', 'a']
