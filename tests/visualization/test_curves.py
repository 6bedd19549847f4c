import json

import cv2
import pytest

from leokit.utils import UserError
from leokit.visualization import plot_curves, read_scalars


def write_log(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    return path


def test_scalars_are_read_by_key_and_step(tmp_path):
    log = write_log(tmp_path / 'scalars.json', [
        {'loss': 2.0, 'lr': 0.1, 'iter': 10, 'step': 10}, {'loss': 1.0, 'lr': 0.1, 'iter': 20, 'step': 20},
        {'val/psnr': 30.5, 'step': 20}, {'note': 'text', 'flag': True, 'step': 20}])
    curves = read_scalars(log)
    assert curves['loss'] == {10: 2.0, 20: 1.0} and curves['val/psnr'] == {20: 30.5}
    assert 'note' not in curves and 'flag' not in curves


def test_a_resumed_run_is_one_curve_and_the_later_value_counts(tmp_path):
    for day, losses in (('20260101', {1: 3.0, 2: 2.0}), ('20260102', {2: 1.5, 3: 1.0})):
        write_log(tmp_path / day / 'vis_data' / 'scalars.json',
                  [{'loss': loss, 'step': step} for step, loss in losses.items()])
    assert read_scalars(tmp_path)['loss'] == {1: 3.0, 2: 1.5, 3: 1.0}


def test_csv_logs(tmp_path):
    (tmp_path / 'log.csv').write_text('step,loss,psnr\n1,0.5,\n2,0.25,30\n')
    assert read_scalars(tmp_path / 'log.csv') == {'loss': {1: 0.5, 2: 0.25}, 'psnr': {2: 30.0}}


def test_a_half_last_line_is_passed_over_but_a_broken_middle_is_named(tmp_path):
    log = write_log(tmp_path / 'scalars.json', [{'loss': 2.0, 'step': 1}])
    log.write_text(log.read_text() + '{"loss": 1.0, "st')
    assert read_scalars(log)['loss'] == {1: 2.0}
    log.write_text('not json\n{"loss": 1.0, "step": 1}\n')
    with pytest.raises(UserError, match='line 1'):
        read_scalars(log)


def test_missing_logs_and_keys_are_named(tmp_path):
    with pytest.raises(UserError, match='no log'):
        read_scalars(tmp_path)
    log = write_log(tmp_path / 'scalars.json', [{'loss': 2.0, 'step': 1}])
    with pytest.raises(UserError, match='no psnr.*hold: loss'):
        plot_curves(log, tmp_path / 'curves.png', keys=['psnr'])
    assert not (tmp_path / 'curves.png').exists()


def test_curves_are_drawn(tmp_path):
    rows = [{'loss': 1 / (i + 1), 'lr': 0.1, 'step': i} for i in range(50)]
    log = write_log(tmp_path / 'scalars.json', rows)
    plot_curves({'run': log, 'again': log}, tmp_path / 'curves.png', smoothing=0.9, log_scale=True)
    one = cv2.imread(str(tmp_path / 'curves.png'))
    assert one is not None and len(set(map(tuple, one[::3, ::3].reshape(-1, 3)))) > 5
    plot_curves(log, tmp_path / 'two.png', keys=['loss', 'lr'])
    assert cv2.imread(str(tmp_path / 'two.png')).shape[1] > 1.5 * one.shape[1]
