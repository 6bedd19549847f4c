"""From results files to findings."""

import json

import numpy as np
import pytest

from leokit.user_study import (
    analyze_study, rating_counts, read_results, resample_raters, share_intervals, tally_answers, wilson_interval)
from leokit.utils import UserError

from user_study.studies import METHODS, rate


def save(folder, records):
    for record in records:
        (folder / f'{record["rater"]}.json').write_text(json.dumps(record))
    return [folder]


def by_order(key, order=METHODS):
    """A rater whose taste follows the order of the methods."""
    def choose(trial, left, right):
        places = [order.index(key.videos[video]['method']) for video in (left, right)]
        return 'left' if places[0] < places[1] else 'right'
    return choose


def by_chance(seed, choices=('left', 'right')):
    rng = np.random.default_rng(seed)
    return lambda *_: str(rng.choice(choices))


@pytest.fixture
def mixed(key, tmp_path):
    """Eight raters of one taste, four who guess."""
    records = [rate(key, f'sure{i}', i, by_order(key)) for i in range(8)]
    records += [rate(key, f'guess{i}', i, by_chance(i, ('left', 'right', 'tie'))) for i in range(4)]
    return save(tmp_path, records)


def test_findings_of_a_clear_study(key, mixed):
    report = analyze_study(mixed, key, samples=500)
    assert report['study']['methods'] == list(METHODS)
    assert [entry['method'] for entry in report['ranking']] == list(METHODS)
    assert report['ranking'][0]['rank_interval'][0] == 1
    assert len(report['preferences']) == 3
    for entry in report['preferences']:
        total = entry['wins'] + entry['ties'] + entry['losses']
        assert entry['preference'] == pytest.approx((entry['wins'] + entry['ties'] / 2) / total)
        assert entry['preference'] > 0.6
        for low, high in (entry['bootstrap'], entry['wilson']):
            assert 0 <= low <= entry['preference'] <= high <= 1
    assert report['answers']['counted'] == 12 * 6 == sum(
        entry['wins'] + entry['ties'] + entry['losses'] for entry in report['preferences'])
    assert report['answers']['ties'] == sum(entry['ties'] for entry in report['preferences']) > 0
    assert report['agreement']['krippendorff_alpha'] > 0.2
    assert report['raters'] | {'rule': ''} == dict(sent=12, kept=12, rule='', excluded=[])


def test_the_report_is_json_and_repeatable(key, mixed):
    report = analyze_study(mixed, key, samples=200)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert analyze_study(mixed, key, samples=200) == report
    assert analyze_study(mixed, key, samples=200, seed=1)['preferences'] != report['preferences']


def test_tally_by_hand(key, mixed):
    results = read_results(sorted(mixed[0].glob('sure*.json')), key)
    tally = tally_answers(results, key)
    assert tally.wins.shape == tally.ties.shape == (8, 3, 3)
    assert (np.tril(tally.wins) == 0).all() and tally.wins.sum() == 48 and not tally.ties.any()


def test_ties_count_half_for_both(key, tmp_path):
    report = analyze_study(save(tmp_path, [rate(key, name, 0, lambda *_: 'tie') for name in 'ab']), key, samples=50)
    for entry in report['preferences']:
        assert entry['preference'] == 0.5 and entry['wins'] == entry['losses'] == 0 and entry['ties'] == 4
    assert [entry['rank'] for entry in report['ranking']] == [1, 1, 1]
    assert report['sides'] == dict(left=0, right=0, wilson=None)


def test_unanimous_raters_agree_fully(key, tmp_path):
    records = [rate(key, str(form), form, by_order(key)) for form in range(10)]
    report = analyze_study(save(tmp_path, records), key, samples=50)
    agreement = report['agreement']
    assert agreement['krippendorff_alpha'] == agreement['fleiss_kappa'] == agreement['equal_answers'] == 1
    assert agreement['pairs'] == 9  # all pairs of the pool, no attention check
    assert any('never lost' in note for note in report['notes'])


def test_rating_counts_without_checks(key, mixed):
    counts = rating_counts(read_results(sorted(mixed[0].glob('*.json')), key), key)
    checks = [trial.is_check for trial in key.trials]
    assert counts.shape == (11, 3) and counts.sum() == 72 and counts[checks].sum() == 0


def test_left_and_right_are_balanced_by_design(key, tmp_path):
    records = [rate(key, f'form{form}', form, by_order(key)) for form in range(len(key.forms))]
    sides = analyze_study(save(tmp_path, records), key, samples=20)['sides']
    assert sides['left'] == sides['right']


def test_a_rater_who_always_presses_left_is_noticed(key, tmp_path):
    records = [rate(key, 'lefty', 0, lambda *_: 'left'), rate(key, 'ann', 1, by_order(key))]
    for answer in records[0]['answers']:
        answer['choice'] = 'left'
    notes = analyze_study(save(tmp_path, records), key, samples=20, max_failed_checks=2)['notes']
    assert 'the rater lefty chose left every time' in notes


def test_excluded_raters_change_the_answers(key, tmp_path):
    records = [rate(key, 'ann', 0, by_order(key)), rate(key, 'bob', 1, by_order(key, METHODS[::-1]))]
    checks = {trial.id for trial in key.trials if trial.is_check}
    for answer in records[1]['answers']:
        if answer['trial'] in checks:
            answer['choice'] = 'tie'
    report = analyze_study(save(tmp_path, records), key, samples=20)
    assert report['raters']['kept'] == 1 and report['raters']['excluded'][0]['rater'] == 'bob'
    assert all(entry['preference'] == 1 for entry in report['preferences'])
    assert len(analyze_study(save(tmp_path, records), key, samples=20, max_failed_checks=2)['raters']['excluded']) == 0


def test_one_rater_has_no_intervals_over_raters(key, tmp_path):
    report = analyze_study(save(tmp_path, [rate(key, 'ann', 0, by_chance(0))]), key, samples=20)
    assert all(entry['bootstrap'] is None for entry in report['preferences'] + report['ranking'])
    assert report['agreement']['krippendorff_alpha'] is None
    assert any('one rater' in note for note in report['notes'])


def test_groups_without_comparison_have_preferences_and_a_note(key, tmp_path):
    record = rate(key, 'ann', 0, by_order(key))
    wanted = {METHODS[0], METHODS[1]}
    trials = {trial.id: trial for trial in key.trials}
    for answer in record['answers']:
        trial = trials[answer['trial']]
        if not trial.is_check and set(trial.methods) != wanted:
            answer['choice'] = 'unplayable'
    report = analyze_study(save(tmp_path, [record]), key, samples=20)
    assert report['ranking'] is None and len(report['preferences']) == 1
    assert any('cannot be ranked together' in note and METHODS[2] in note for note in report['notes'])
    assert report['answers']['unplayable'] == 4


def test_no_rater_left_is_an_error(key, tmp_path):
    record = rate(key, 'ann', 0, by_order(key), keep=1)  # stopped before the first check
    with pytest.raises(UserError, match='all 1 raters are excluded'):
        analyze_study(save(tmp_path, [record]), key)


@pytest.mark.parametrize('setting', [dict(confidence=1.0), dict(samples=0), dict(max_failed_checks=-1), dict(seed=-1)])
def test_bad_settings_are_refused(key, mixed, setting):
    with pytest.raises(UserError, match='--confidence'):
        analyze_study(mixed, key, **setting)


def test_intervals_cover_the_truth():
    """Raters differ in taste; intervals over raters cover the mean taste, Wilson's would not."""
    rng = np.random.default_rng(0)
    covered = {'bootstrap': 0, 'wilson': 0}
    for _ in range(200):
        tastes = rng.beta(2, 1, size=25)  # mean 2/3, raters far apart
        wins = np.zeros((25, 2, 2))
        wins[:, 0, 1] = rng.binomial(20, tastes)
        wins[:, 1, 0] = 20 - wins[:, 0, 1]
        low, high = share_intervals(resample_raters(wins, 400, rng))[:, 0, 1]
        covered['bootstrap'] += low <= 2 / 3 <= high
        low, high = wilson_interval(wins[:, 0, 1].sum(), 500)
        covered['wilson'] += low <= 2 / 3 <= high
    assert covered['bootstrap'] >= 180 and covered['wilson'] < 160
