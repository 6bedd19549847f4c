"""The key survives the disk, and damaged or foreign files are named."""

import json

import pytest

from leokit.user_study import StudyKey
from leokit.utils import UserError


def test_round_trip(key, tmp_path):
    key.save(tmp_path / 'sub' / 'key.json')
    loaded = StudyKey.load(tmp_path / 'sub' / 'key.json')
    assert loaded == key._replace(forms=[[tuple(entry) for entry in form] for form in key.forms])
    assert [path.name for path in (tmp_path / 'sub').iterdir()] == ['key.json']


def damage(record, change):
    record = dict(record)
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize('change, message', [
    (lambda record: record.update(format='something else'), 'not a file of leokit user study key'),
    (lambda record: record.update(version=99), 'version 99'),
    (lambda record: record.pop('trials'), 'damaged'),
    (lambda record: record.update(trials=[dict(id='x', color='blue')]), 'damaged'),
    (lambda record: record.update(forms=[[1]]), 'damaged'),
    (lambda record: record.update(forms=[[[10**6, True]]]), 'a trial that is not there'),
    (lambda record: record.update(settings=None), 'damaged'),
    (lambda record: record.update(methods=None), 'damaged'),
    (lambda record: record.update(methods={'other': 'a', 'names': 'b'}), 'does not compare two of the methods'),
    (lambda record: record['settings'].update(title=5), 'must be texts'),
])
def test_wrong_files_are_refused(key, tmp_path, change, message):
    path = tmp_path / 'key.json'
    key.save(path)
    path.write_text(damage(json.loads(path.read_text()), change))
    with pytest.raises(UserError, match=message):
        StudyKey.load(path)


def test_missing_or_unreadable_files_are_refused(tmp_path):
    with pytest.raises(UserError, match='cannot be read'):
        StudyKey.load(tmp_path / 'none.json')
    (tmp_path / 'cut.json').write_text('{"format": ')
    (tmp_path / 'deep.json').write_text('[' * 100_000)
    with pytest.raises(UserError, match='not JSON'):
        StudyKey.load(tmp_path / 'deep.json')
    with pytest.raises(UserError, match='not JSON'):
        StudyKey.load(tmp_path / 'cut.json')
    (tmp_path / 'binary.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(UserError, match='not JSON'):
        StudyKey.load(tmp_path / 'binary.json')
