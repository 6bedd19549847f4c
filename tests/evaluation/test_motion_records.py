import pytest
import torch

from leokit.evaluation import Protocol, load_records, motion_records, save_records

PROTOCOL = Protocol.from_dict(dict(name='tiny', clips=dict(length=16)))


def walks(number, frames, seed):
    return torch.randn(number, frames, 3, generator=torch.Generator().manual_seed(seed)).cumsum(1)


def test_long_motion_has_curves_and_is_saved(tmp_path):
    records = motion_records(walks(8, 64, 0), walks(20, 16, 1), [16, 32, 48], protocol=PROTOCOL)
    found = {record.metric: record for record in records}
    names = ('jitter', 'dispersion', 'drift', 'recurrence', 'boundary_jerk_ratio')
    assert set(found) == {f'motion_{name}' for name in names}
    for name in ('jitter', 'dispersion', 'drift'):
        record = found[f'motion_{name}']
        assert record.curve['x'] == [0, 16, 32, 48] and record.score.value == record.curve['y'][-1]
    assert found['motion_jitter'].score.value == pytest.approx(1, abs=0.3)
    assert all('extractor' not in record.protocol for record in records)  # codes, not features
    assert found['motion_jitter'].details['real_value'] == 1 and found['motion_recurrence'].curve is None
    save_records(tmp_path / 'r.json', records)
    assert [record.metric for record in load_records(tmp_path / 'r.json')] == [record.metric for record in records]


def test_short_motion_has_no_curve():
    records = motion_records(walks(8, 20, 0), walks(20, 16, 1), [], protocol=PROTOCOL)
    assert [record.metric for record in records] == ['motion_jitter', 'motion_dispersion']
    assert all(record.curve is None for record in records)


def test_one_sequence_alone_cannot_recur():
    records = motion_records(walks(1, 64, 0), walks(20, 16, 1), [], protocol=PROTOCOL)
    assert {record.metric: record for record in records}['motion_recurrence'].score.value is None
