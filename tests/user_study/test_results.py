"""Results are checked against the key; inattentive raters are excluded by rule."""

import json

import pytest

from leokit.user_study import find_results, read_results, screen_raters
from leokit.utils import UserError

from user_study.studies import METHODS, prefer, rate


def save(folder, *records):
    paths = []
    for number, record in enumerate(records):
        paths.append(folder / f'{number}.json')
        paths[-1].write_text(json.dumps(record))
    return paths


def spoil(record, key, count):
    """Answer the first ``count`` attention checks wrongly."""
    checks = {trial.id: trial for trial in key.trials if trial.is_check}
    for answer in [answer for answer in record['answers'] if answer['trial'] in checks][:count]:
        answer['choice'] = 'right' if answer['left'] == checks[answer['trial']].right_answer else 'left'
    return record


def test_answers_keep_order_winner_and_time(key, tmp_path):
    record = rate(key, 'ann', 5, prefer(key, METHODS[1]))
    result, = read_results(save(tmp_path, record), key)
    assert (result.rater, result.missing) == ('ann', 0)
    assert [answer.trial for answer in result.answers] == [number for number, _ in key.forms[5]]
    for answer, given in zip(result.answers, record['answers']):
        assert answer.winner == given[given['choice']] and answer.reaction_ms == given['reaction_ms']


def test_unanswered_pairs_are_counted(key, tmp_path):
    result, = read_results(save(tmp_path, rate(key, 'ann', 0, prefer(key, METHODS[0]), keep=5)), key)
    assert (len(result.answers), result.missing) == (5, 3)


def test_a_session_saved_twice_counts_once_the_later_file(key, tmp_path):
    early = rate(key, 'ann', 0, prefer(key, METHODS[0]), keep=3, saved='2025-01-01T10:00:00Z')
    late = rate(key, 'ann', 0, prefer(key, METHODS[0]), saved='2025-01-01T11:00:00Z')
    for order in ((early, late), (late, early)):
        result, = read_results(save(tmp_path, *order), key)
        assert result.missing == 0


def test_two_sessions_of_one_name_are_refused(key, tmp_path):
    records = [rate(key, 'ann', form, prefer(key, METHODS[0]), session=str(form)) for form in (0, 1)]
    with pytest.raises(UserError, match="two sessions of the rater 'ann'"):
        read_results(save(tmp_path, *records), key)


def first_answer(**changes):
    return lambda record: record['answers'][0].update(changes)


@pytest.mark.parametrize('change, message', [
    (lambda record: record.update(page_hash='0' * 64), 'belong to another page'),
    (lambda record: record.update(format='shopping list'), 'not a file of leokit user study results'),
    (lambda record: record.update(version=7), 'version 7'),
    (lambda record: record.update(form=10 ** 6), 'damaged'),
    (lambda record: record.update(form='1'), 'damaged'),
    (lambda record: record.update(rater=''), 'damaged'),
    (lambda record: record.pop('answers'), 'damaged'),
    (lambda record: record['answers'].append(record['answers'][0]), 'does not match form'),
    (first_answer(choice='both'), 'does not match form'),
    (first_answer(left='elsewhere'), 'does not match form'),
    (first_answer(trial='elsewhere'), 'damaged'),
    (first_answer(reaction_ms='quick'), 'damaged'),
    (first_answer(reaction_ms=float('nan')), 'took nan ms'),
    (first_answer(reaction_ms=float('inf')), 'took inf ms'),
    (lambda record: record.update(rater='\ud800'), 'damaged'),
])
def test_files_that_do_not_match_are_refused(key, tmp_path, change, message):
    record = rate(key, 'ann', 0, prefer(key, METHODS[0]))
    change(record)
    with pytest.raises(UserError, match=message):
        read_results(save(tmp_path, record), key)


def test_ties_need_a_page_that_offers_them(key, tmp_path):
    paths = save(tmp_path, rate(key, 'ann', 0, lambda *_: 'tie'))
    assert all(answer.winner is None or key.trials[answer.trial].is_check
               for answer in read_results(paths, key)[0].answers)
    strict = key._replace(settings=key.settings | {'allow_ties': False})
    with pytest.raises(UserError, match='is a tie'):
        read_results(paths, strict)


def test_folders_are_replaced_by_their_files(key, tmp_path):
    paths = save(tmp_path, *(rate(key, name, 0, prefer(key, METHODS[0])) for name in 'ab'))
    assert find_results([tmp_path, paths[1]]) == paths
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='contains no results'):
        find_results([tmp_path / 'empty'])


@pytest.mark.parametrize('tolerated, kept', [(0, ['careful']), (1, ['careful', 'once']),
                                            (2, ['careful', 'once', 'twice'])])
def test_raters_who_fail_checks_are_excluded(key, tmp_path, tolerated, kept):
    records = [spoil(rate(key, name, 0, prefer(key, METHODS[0])), key, failures)
               for failures, name in enumerate(('careful', 'once', 'twice'))]
    screening = screen_raters(read_results(save(tmp_path, *records), key), key, tolerated)
    assert [result.rater for result in screening.kept] == kept
    assert len(screening.excluded) == 3 - len(kept) and f'more than {tolerated} of the 2' in screening.rule
    for entry in screening.excluded:
        assert entry['failed'] == {'once': 1, 'twice': 2}[entry['rater']] and entry['answered'] == 2


def test_no_difference_fails_a_check_and_unplayable_is_not_an_answer(key, tmp_path):
    records = {}
    for choice in ('tie', 'unplayable'):
        records[choice] = rate(key, choice, 0, prefer(key, METHODS[0]))
        for answer in records[choice]['answers']:
            if any(trial.is_check and trial.id == answer['trial'] for trial in key.trials):
                answer['choice'] = choice
    excluded = screen_raters(read_results(save(tmp_path, *records.values()), key), key).excluded
    assert {entry['rater']: (entry['failed'], entry['answered']) for entry in excluded} == {
        'tie': (2, 2), 'unplayable': (0, 0)}


def test_a_study_without_checks_keeps_all_raters(key, tmp_path):
    results = read_results(save(tmp_path, rate(key, 'ann', 0, prefer(key, METHODS[0]))), key)
    plain = key._replace(trials=[trial._replace(right_answer=None, methods=METHODS[:2]) for trial in key.trials])
    screening = screen_raters(results, plain)
    assert len(screening.kept) == 1 and 'no attention checks' in screening.rule
