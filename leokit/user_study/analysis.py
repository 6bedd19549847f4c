"""Analyze a study: preferences, ranking, agreement and warnings as one plain record, which ``report`` prints.

The statistics are in ``preference``, ``bradley_terry`` and ``agreement``; here answers become their arrays.
Dimensions: R raters, K methods.
"""

import itertools
import math
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from leokit.user_study.agreement import fleiss_kappa, krippendorff_alpha, pair_agreement
from leokit.user_study.bradley_terry import PSEUDO_WINS, rank_methods
from leokit.user_study.key import StudyKey
from leokit.user_study.preference import Tally, resample_raters, share_intervals, wilson_interval
from leokit.user_study.results import RaterResult, find_results, read_results, screen_raters
from leokit.utils import UserError
from leokit.version import __version__

REPORT_FORMAT = 'leokit user study report'
REPORT_VERSION = 1
FEW_RATERS = 10  # below this number, bootstrap intervals over raters tend to be too narrow


def analyze_study(paths: Sequence[str | Path], key: StudyKey, *, max_failed_checks: int = 0, samples: int = 2000,
                  confidence: float = 0.95, seed: int = 0) -> dict[str, Any]:
    """Analyze the results of a study.

    Args:
        paths (Sequence[str | Path]): Results files, or folders of them.
        key (StudyKey): The study's key.
        max_failed_checks (int): Failed attention checks that are tolerated.
        samples (int): Bootstrap samples (raters are resampled).
        confidence (float): Coverage of all intervals, between 0 and 1.
        seed (int): Seed of the bootstrap.

    Returns:
        dict: The findings, JSON types only; ``docs/user_study.md`` explains each entry.
    """
    if not 0 < confidence < 1 or samples < 1 or max_failed_checks < 0 or seed < 0:
        raise UserError('--confidence must lie between 0 and 1, --bootstrap be at least 1, --max-failed-checks and '
                        '--seed at least 0')
    results = read_results(find_results(paths), key)
    screening = screen_raters(results, key, max_failed_checks)
    if not screening.kept:
        raise UserError(f'all {len(results)} raters are excluded: {screening.rule}; raise --max-failed-checks or '
                        'invite more raters')
    methods = list(key.methods)
    tally = tally_answers(screening.kept, key)
    if not tally.wins.any():
        raise UserError('the results contain no answer to a pair of methods; ask the raters for complete results')
    rng = np.random.default_rng(seed)
    notes = _notes(screening.kept)
    ranking, ranking_notes = _ranking(tally, methods, rng, samples, confidence)
    return {
        'format': REPORT_FORMAT,
        'version': REPORT_VERSION,
        'study': {'page_hash': key.page_hash, 'title': key.settings['title'], 'question': key.settings['question'],
                  'methods': methods},
        'raters': {'sent': len(results), 'kept': len(screening.kept), 'rule': screening.rule,
                   'excluded': screening.excluded},
        'answers': _answer_counts(screening.kept, key),
        'preferences': _preferences(tally, methods, rng, samples, confidence),
        'ranking': ranking,
        'agreement': _agreement(screening.kept, key),
        'sides': _sides(screening.kept, key, confidence),
        'notes': notes + ranking_notes,
        'protocol': {'confidence': confidence, 'bootstrap_samples': samples, 'seed': seed,
                     'max_failed_checks': max_failed_checks, 'leokit_version': __version__},
    }


def tally_answers(results: Sequence[RaterResult], key: StudyKey) -> Tally:
    """Count wins and ties of each rater without attention checks and unplayable pairs; methods in the key's order."""
    index = {method: i for i, method in enumerate(key.methods)}
    shape = (len(results), len(index), len(index))
    wins, ties = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    for rater, result in enumerate(results):
        for trial, choice, winner, _ in _votes(result, key):
            # half a win for each method in a tie, so that wins of a pair sum to its number of answers
            first, second = (index[method] for method in trial.methods)
            score = 0.5 if choice == 'tie' else float(winner == trial.videos[0])
            wins[rater, first, second] += score
            wins[rater, second, first] += 1 - score
            ties[rater, [first, second], [second, first]] += choice == 'tie'
    return Tally(wins, ties)


def rating_counts(results: Sequence[RaterResult], key: StudyKey) -> np.ndarray:
    """Count the answers to each pair, for measures of agreement.

    The categories are the pair's videos in the key's order, which is random, so that chance agreement is about one half
    however popular a method is.

    Returns:
        np.ndarray: int64, shape (trials, 3): first video, second video, tie. Rows of attention checks are zero.
    """
    counts = np.zeros((len(key.trials), 3), dtype=np.int64)
    row = {trial.id: i for i, trial in enumerate(key.trials)}
    for result in results:
        for trial, choice, winner, _ in _votes(result, key):
            counts[row[trial.id], 2 if choice == 'tie' else trial.videos.index(winner)] += 1
    return counts


def _votes(result: RaterResult, key: StudyKey) -> list[tuple]:
    """(trial, choice, winner, reaction_ms) of a rater's answers about methods."""
    return [(key.trials[answer.trial], *answer[1:]) for answer in result.answers
            if answer.choice != 'unplayable' and not key.trials[answer.trial].is_check]


def _answer_counts(results: Sequence[RaterResult], key: StudyKey) -> dict[str, Any]:
    """Numbers of answers, ties and failures; quartiles of reaction times."""
    votes = [vote for result in results for vote in _votes(result, key)]
    times = np.array([reaction for *_, reaction in votes])
    quartiles = np.quantile(times, [0.25, 0.5, 0.75]).round().tolist()
    return {
        'counted': len(votes),
        'ties': sum(choice == 'tie' for _, choice, _, _ in votes),
        'unplayable': sum(answer.choice == 'unplayable' for result in results for answer in result.answers),
        'missing': sum(result.missing for result in results),
        'reaction_ms_quartiles': quartiles,
    }


def _preferences(tally: Tally, methods: list[str], rng: np.random.Generator, samples: int,
                 confidence: float) -> list[dict[str, Any]]:
    """One entry per pair of methods that was compared."""
    wins, ties = tally.wins.sum(axis=0), tally.ties.sum(axis=0)
    ends = share_intervals(resample_raters(tally.wins, samples, rng), confidence)
    entries = []
    for i, j in itertools.combinations(range(len(methods)), 2):
        count = wins[i, j] + wins[j, i]
        if not count:
            continue
        raters = int(((tally.wins[:, i, j] + tally.wins[:, j, i]) > 0).sum())
        entries.append({
            'first': methods[i],
            'second': methods[j],
            'wins': int(wins[i, j] - ties[i, j] / 2),
            'ties': int(ties[i, j]),
            'losses': int(wins[j, i] - ties[i, j] / 2),
            'raters': raters,
            'preference': float(wins[i, j] / count),
            'bootstrap': ends[:, i, j].tolist() if raters > 1 else None,
            'wilson': list(wilson_interval(wins[i, j], count, confidence)),
        })
    return entries


def _ranking(tally: Tally, methods: list[str], rng: np.random.Generator, samples: int,
             confidence: float) -> tuple[list[dict[str, Any]] | None, list[str]]:
    """The ranking, best first, or None if it is undefined; and notes on it."""
    try:
        ranking = rank_methods(tally.wins, methods, rng, samples=samples, confidence=confidence)
    except UserError as error:
        return None, [f'no ranking: {error}']
    several = len(tally.wins) > 1
    entries = [{
        'method': methods[i],
        'rank': int(ranking.ranks[i]),
        'strength': float(ranking.strengths[i]),
        'standard_error': float(ranking.errors[i]),
        'bootstrap': [float(ranking.low[i]), float(ranking.high[i])] if several else None,
        'rank_interval': [int(ranking.rank_low[i]), int(ranking.rank_high[i])] if several else None,
        'best_share': float(ranking.best[i]) if several else None,
    } for i in np.argsort(-ranking.strengths, kind='stable')]
    notes = []
    if ranking.regularized:
        notes.append('some methods never lost to the others, so the strengths have no finite maximum; '
                     f'{PSEUDO_WINS} wins were added for both methods of each compared pair, and the distances between '
                     'strengths mean little')
    elif ranking.regularized_samples and several:
        notes.append(f'{ranking.regularized_samples:.0%} of the bootstrap samples had no finite strengths; '
                     f'{PSEUDO_WINS} wins were added for both methods of each compared pair in these')
    return entries, notes


def _agreement(results: Sequence[RaterResult], key: StudyKey) -> dict[str, Any]:
    """Agreement of the raters; None where it is undefined."""
    counts = rating_counts(results, key)
    shared = counts[counts.sum(axis=1) >= 2]
    values = {'fleiss_kappa': fleiss_kappa(counts), 'krippendorff_alpha': krippendorff_alpha(counts),
              'equal_answers': pair_agreement(counts)}
    return {name: None if math.isnan(value) else value for name, value in values.items()} | {
        'pairs': len(shared), 'raters_per_pair': float(shared.sum(axis=1).mean()) if len(shared) else None}


def _sides(results: Sequence[RaterResult], key: StudyKey, confidence: float) -> dict[str, Any]:
    """How often the left video was chosen, over all answers without ties."""
    choices = [choice for result in results for _, choice, _, _ in _votes(result, key) if choice != 'tie']
    left = choices.count('left')
    interval = list(wilson_interval(left, len(choices), confidence)) if choices else None
    return {'left': left, 'right': len(choices) - left, 'wilson': interval}


def _notes(results: Sequence[RaterResult]) -> list[str]:
    """Warnings about the raters."""
    notes = []
    if len(results) == 1:
        notes.append('there is one rater: intervals over raters and agreement cannot be stated')
    elif len(results) < FEW_RATERS:
        notes.append(f'there are {len(results)} raters: with fewer than {FEW_RATERS}, bootstrap intervals tend to be '
                     'too narrow')
    partial = [result.rater for result in results if result.missing]
    if partial:
        notes.append(f'answers are missing from {", ".join(partial)}')
    for result in results:
        choices = [answer.choice for answer in result.answers]
        if len(choices) >= 8 and len(set(choices)) == 1:
            notes.append(f'the rater {result.rater} chose {choices[0]} every time')
    return notes
