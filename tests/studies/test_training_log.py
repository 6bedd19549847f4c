import json

import pytest

from leokit.studies.training_log import read_scalars
from leokit.utils import UserError


def write_log(work_dir, rows, day='20260101'):
    path = work_dir / day / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    return path


def test_scalars_are_read_by_key_and_step(tmp_path):
    write_log(tmp_path, [
        {'loss': 2.0, 'lr': 0.1, 'iter': 10, 'step': 10}, {'loss': 1.0, 'lr': 0.1, 'iter': 20, 'step': 20},
        {'val/psnr': 30.5, 'step': 20}, {'note': 'text', 'flag': True, 'step': 20}])
    curves = read_scalars(tmp_path)
    assert curves['loss'] == {10: 2.0, 20: 1.0} and curves['val/psnr'] == {20: 30.5}
    assert 'note' not in curves and 'flag' not in curves


def test_a_resumed_run_is_one_curve_and_the_later_value_counts(tmp_path):
    for day, losses in (('20260101', {1: 3.0, 2: 2.0}), ('20260102', {2: 1.5, 3: 1.0})):
        write_log(tmp_path, [{'loss': loss, 'step': step} for step, loss in losses.items()], day)
    assert read_scalars(tmp_path)['loss'] == {1: 3.0, 2: 1.5, 3: 1.0}


def test_an_incomplete_last_line_is_ignored_and_a_broken_line_is_named(tmp_path):
    log = write_log(tmp_path, [{'loss': 2.0, 'step': 1}])
    log.write_text(log.read_text() + '{"loss": 1.0, "st')
    assert read_scalars(tmp_path)['loss'] == {1: 2.0}
    log.write_text('not json\n{"loss": 1.0, "step": 1}\n')
    with pytest.raises(UserError, match='line 1'):
        read_scalars(tmp_path)


def test_a_run_without_a_log_has_no_curves(tmp_path):
    assert read_scalars(tmp_path) == {}
