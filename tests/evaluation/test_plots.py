import dataclasses

import pytest

from leokit.evaluation import ResultRecord, RunInfo, Score, load_protocol
from leokit.evaluation.plots import plot_steps, plot_time
from leokit.utils import UserError

PNG = b'\x89PNG'


def record(model='ours', step=None, value=1.0, curve=None, stride=1):
    protocol = load_protocol('quick').changed({'clips.stride': stride})
    return ResultRecord('fvd@16x1', Score(value, 0.1, 'trials', (value,)), protocol.to_dict(), RunInfo(model, step),
                        curve=curve)


def test_curves_over_steps_and_over_time(tmp_path):
    plot_steps([record(step=100), record(step=200, value=0.5), record('theirs', 100)], tmp_path / 'steps.png')
    curve = dict(label='first frame', x=[0, 16, 32], y=[1.0, None, 3.0])
    plot_time([record(curve=curve)], tmp_path / 'time.png')
    for name in ('steps.png', 'time.png'):
        assert (tmp_path / name).read_bytes().startswith(PNG)
    assert len(list(tmp_path.iterdir())) == 2


def test_mixed_protocols_are_refused_unless_allowed(tmp_path):
    records = [record(step=100), record('theirs', 100, stride=4)]
    with pytest.raises(UserError, match='do not compare: they differ in clips.stride'):
        plot_steps(records, tmp_path / 'steps.png')
    plot_steps(records, tmp_path / 'steps.png', allow_mixed=True)


def test_records_without_curves_are_refused(tmp_path):
    with pytest.raises(UserError, match='no result record has a training step'):
        plot_steps([record()], tmp_path / 'a.png')
    with pytest.raises(UserError, match='no result record has a curve'):
        plot_time([record()], tmp_path / 'a.png')


def test_an_unknown_image_format_is_refused_and_leaves_no_file(tmp_path):
    with pytest.raises(UserError, match=r'in \.png, \.pdf or \.svg'):
        plot_steps([dataclasses.replace(record(), run=RunInfo('ours', 1))], tmp_path / 'a.docx')
    assert not list(tmp_path.iterdir())
