import json

import pytest

from leokit.evaluation import (
    NetworkInfo, ResultRecord, RunInfo, Score, SetInfo, load_protocol, load_records, save_records)
from leokit.utils import UserError


def record(value=12.5, **changes):
    sets = SetInfo('videos', 'test', 20, 16, 1, 'a' * 64)
    facts = dict(
        metric='fvd', score=Score(value, 0.5, 'trials', (12.0, 13.0)), protocol=load_protocol('digan').to_dict(),
        run=RunInfo.now('ours', 1000), real=sets, fake=sets, network=NetworkInfo('i3d', 'b' * 64, 400),
        curve=dict(label='frame', x=[0, 16], y=[1.0, 2.0]), details=dict(frames=3), warnings=('few clips',))
    return ResultRecord(**{**facts, **changes})


def test_records_survive_a_file(tmp_path):
    records = [record(), record(metric='acd-tiny', real=None, curve=None)]
    save_records(tmp_path / 'sub' / 'results.json', records)
    assert load_records(tmp_path / 'sub' / 'results.json') == records
    assert [path.name for path in (tmp_path / 'sub').iterdir()] == ['results.json']


def test_important_values_are_at_the_top_level():
    values = record().to_dict()
    expected = dict(metric='fvd', value=12.5, std=0.5, std_of='trials', trials=2, clips=16, frames=16, stride=1,
                    split='test', resolution=128, resize='bilinear', seed=42)
    assert {key: values[key] for key in expected} == expected
    assert values['real']['manifest_hash'] == 'a' * 64 and values['network']['sha256'] == 'b' * 64
    assert {'leokit', 'torch', 'numpy', 'python'} <= set(values['run']['versions'])


def test_missing_values_are_null_and_never_nan(tmp_path):
    save_records(tmp_path / 'r.json', [record(value=None, score=Score(None, values=(float('nan'),)),
                                              details=dict(rate=float('nan')))])
    text = (tmp_path / 'r.json').read_text()
    assert 'NaN' not in text and json.loads(text)['records'][0]['value'] is None
    assert load_records(tmp_path / 'r.json')[0].score.value is None


@pytest.mark.parametrize('content', [
    '', '[]', '{"format": 1}', '{"format": 9, "records": []}', '{"format": 1, "records": [{}]}'])
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / 'other.json'
    path.write_text(content)
    with pytest.raises(UserError, match='other.json'):
        load_records(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match='does not exist'):
        load_records(tmp_path / 'none.json')


def test_comparable_has_every_value_that_matters():
    facts = record().comparable()
    assert facts['clips.length'] == 16 and facts['frames.resize'] == 'bilinear'
    assert facts['weights sha256'] == 'b' * 64 and facts['real set'] == 'a' * 64 and facts['generated clips'] == 16
    assert not any('seed' in key or 'trials' in key for key in facts)


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot write .*r.json'):
        save_records(tmp_path / 'file' / 'r.json', [record()])


@pytest.mark.parametrize('change', [
    dict(value='abc'), dict(value=[1]), dict(value={}), dict(value=True), dict(std='abc'), dict(metric=5),
    dict(metric=None), dict(values=['x']), dict(run=dict(model=5)), dict(run=dict(model=['x'])),
    dict(run=dict(step='x')), dict(warnings=[1]), dict(warnings='text'), dict(details=[1]),
    dict(curve=dict(label='x', x=[1, 2], y=[1])), dict(curve=dict(label='x', x=['a'], y=[1])),
    dict(curve=dict(label=3, x=[1], y=[1]))])
def test_records_with_values_of_other_types_are_refused(tmp_path, change):
    path = tmp_path / 'r.json'
    save_records(path, [record()])
    content = json.loads(path.read_text())
    load_records(path)
    content['records'][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match='r.json is not a result file of leokit'):
        load_records(path)


@pytest.mark.parametrize('text', ['[' * 100_000, '{"format": 1, "records": ' + '[' * 100_000, '{', '[]', '5'])
def test_other_json_is_no_result_file(tmp_path, text):
    (tmp_path / 'r.json').write_text(text)
    with pytest.raises(UserError, match='r.json is not a result file of leokit'):
        load_records(tmp_path / 'r.json')
