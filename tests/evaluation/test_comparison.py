import dataclasses

import pytest

from leokit.evaluation import NetworkInfo, ResultRecord, RunInfo, Score, SetInfo, load_protocol
from leokit.evaluation.comparison import build_table, metric_name
from leokit.utils import UserError

REAL = SetInfo('videos', 'test', 3000, 2048, 0, 'a' * 64)
FAKE = SetInfo('samples', None, 2048, 2048, 0, 'c' * 64)


def record(model, value, metric='fvd', step=None, protocol=None, std=0.5, real=REAL, fake=FAKE):
    return ResultRecord(
        metric=metric, score=Score(value, std, 'trials' if std else 'none', (value,)),
        protocol=(protocol or load_protocol('digan')).to_dict(), run=RunInfo(model, step), real=real, fake=fake,
        network=NetworkInfo('i3d', 'b' * 64, 400))


def test_rows_are_models_columns_metrics_and_the_best_is_bold():
    table = build_table([record('ours', 12.345), record('theirs', 45.678), record('ours', 1.5, 'kvd', std=None)])
    assert table.rows == ['ours', 'theirs'] and table.columns == ['fvd', 'kvd']
    assert table.to_markdown().splitlines() == [
        '| model | fvd | kvd |', '| --- | ---: | ---: |',
        '| ours | **12.35** ± 0.5 | 1.5 |', '| theirs | 45.68 ± 0.5 | – |']


def test_latex_escapes_and_puts_numbers_in_mathematics():
    text = build_table([record('our_model', 12.345), record('theirs', 45.678)]).to_latex()
    assert r'our\_model & $\mathbf{12.35} \pm 0.5$ \\' in text
    assert text.startswith(r'\begin{tabular}{lr}') and text.rstrip().endswith(r'\end{tabular}')


@pytest.mark.parametrize(('change', 'named'), [
    (dict(protocol=load_protocol('digan').changed({'clips.stride': 4})), 'clips.stride: ours 1, theirs 4'),
    (dict(real=dataclasses.replace(REAL, manifest_hash='d' * 64)), 'real set: ours aaaaaaaa, theirs dddddddd'),
    (dict(fake=dataclasses.replace(FAKE, clips=512)), 'generated clips: ours 2048, theirs 512')])
def test_a_column_of_two_protocols_is_refused_or_marked(change, named):
    records = [record('ours', 12.3), record('theirs', 9.8, **change)]
    with pytest.raises(UserError, match=f'fvd do not compare.*{named}.*--allow-mixed'):
        build_table(records)
    table = build_table(records, allow_mixed=True)
    text = table.to_markdown()
    assert '12.3 ± 0.5 (a)' in text and '9.8 ± 0.5 (b)' in text and '**' not in text
    assert len(table.notes) == 2 and table.notes[0].startswith('(a) fvd: ')
    assert '$^' not in table.to_latex() and '^{b}' in table.to_latex()


def test_the_remedy_for_other_real_videos_names_the_command_that_compares_them():
    other = dataclasses.replace(REAL, path='copies', manifest_hash='d' * 64)
    with pytest.raises(UserError, match='same real videos .leokit data check --videos videos --same-as copies'):
        build_table([record('ours', 12.3), record('theirs', 9.8, real=other)])
    moved = dataclasses.replace(REAL, manifest_hash='d' * 64)  # the same folder, whose videos have changed
    with pytest.raises(UserError, match='against the same real videos, or show'):
        build_table([record('ours', 12.3), record('theirs', 9.8, real=moved)])


def test_another_network_is_another_protocol():
    other = dataclasses.replace(record('theirs', 9.8), network=NetworkInfo('i3d', 'e' * 64, 400))
    with pytest.raises(UserError, match='weights sha256: ours bbbbbbbb, theirs eeeeeeee'):
        build_table([record('ours', 12.3), other])


def test_other_seeds_of_one_protocol_may_share_a_column():
    protocol = load_protocol('digan').changed({'sampling.trials': 2, 'sampling.seed': 9})
    assert build_table([record('ours', 12.3), record('theirs', 9.8, protocol=protocol)]).marks == {}


def test_a_statistic_of_generated_videos_does_not_depend_on_the_real_set():
    other = dataclasses.replace(REAL, manifest_hash='d' * 64)
    key = 'acd-dlib_identity'
    table = build_table([record('ours', 0.3, key), record('theirs', 0.2, key, real=other)])
    assert '**' not in table.to_markdown()  # a frozen video would win


def test_the_last_training_step_counts():
    table = build_table([record('ours', value, step=step) for step, value in ((100, 30.0), (300, 20.0), (200, 25.0))])
    assert table.cells['ours', 'fvd'].score.value == 20


def test_two_scores_for_one_cell_and_nothing_at_all_are_refused():
    with pytest.raises(UserError, match="two scores of fvd for 'ours'"):
        build_table([record('ours', 1.0), record('ours', 2.0)])
    with pytest.raises(UserError, match='no result records'):
        build_table([])


def test_a_missing_value_is_a_dash():
    missing = dataclasses.replace(record('theirs', 1.0), score=Score(None))
    assert '| theirs | – |' in build_table([record('ours', 1.0), missing]).to_markdown()


def test_names_of_metrics():
    assert metric_name('fvd-efficientnet_lite0_dt@16x1') == metric_name('fvd@16x4') == metric_name('fvd') == 'fvd'


def test_the_text_of_a_table_with_notes():
    records = [record('ours', 12.3), record('theirs', 9.8, fake=dataclasses.replace(FAKE, clips=512))]
    table = build_table(records, allow_mixed=True)
    assert table.to_markdown() == (
        '| model | fvd |\n| --- | ---: |\n| ours | 12.3 ± 0.5 (a) |\n| theirs | 9.8 ± 0.5 (b) |\n\n'
        '(a) fvd: generated clips 2048\n(b) fvd: generated clips 512\n')
    assert build_table(records[:1]).to_markdown().endswith('12.3 ± 0.5 |\n')
    assert build_table(records[:1]).to_latex().endswith('\\end{tabular}\n')


@pytest.mark.parametrize('steps, last', [
    ((None, 1), 1), ((1, None), 1), ((0, None), 0), ((None, 0), None), ((7, 3), 7)])
def test_a_record_without_a_step_is_of_step_zero(steps, last):
    table = build_table([record('ours', 1.0, step=step) for step in steps])
    assert table.cells['ours', 'fvd'].run.step == last


def test_a_model_without_a_name_is_that_of_its_videos():
    assert build_table([record(None, 1.0)]).rows == ['samples']
    assert build_table([record(None, 1.0, fake=None)]).rows == ['unnamed']


def test_more_protocols_than_letters():
    records = [record(f'model {number}', 1.0, fake=dataclasses.replace(FAKE, clips=number)) for number in range(28)]
    marks = build_table(records, allow_mixed=True).marks
    assert [marks[f'model {number}', 'fvd'] for number in (0, 1, 24, 25, 26, 27)] == ['a', 'b', 'y', 'z', 'aa', 'bb']
