"""Read the files that raters sent, and exclude raters by attention checks."""

import itertools
import math
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from leokit.user_study.files import read_record
from leokit.user_study.key import StudyKey
from leokit.utils import UserError

RESULT_FORMAT = 'leokit user study results'  # page/session.js writes it
RESULT_VERSION = 1
CHOICES = ('left', 'right', 'tie', 'unplayable')


class Answer(NamedTuple):
    """One answer.

    Attributes:
        trial (int): Index of the trial in the key.
        choice (str): One of ``CHOICES``.
        winner (str | None): Id of the chosen video; None for a tie or an unplayable pair.
        reaction_ms (float): Milliseconds from the time when both videos had been watched to the choice.
    """

    trial: int
    choice: str
    winner: str | None
    reaction_ms: float


class RaterResult(NamedTuple):
    """All answers of one rater.

    Attributes:
        rater (str): The name or code that the rater entered.
        session (str): Random id of the rater's session.
        file (str): The results file.
        answers (list): The answers in the order of the form.
        missing (int): Pairs of the form without an answer.
    """

    rater: str
    session: str
    file: str
    answers: list[Answer]
    missing: int


class Screening(NamedTuple):
    """Raters who are kept and excluded.

    Attributes:
        rule (str): The rule, in words.
        kept (list): Results of the raters who are kept.
        excluded (list): dict(rater, failed, answered, reason) of each excluded rater.
    """

    rule: str
    kept: list[RaterResult]
    excluded: list[dict[str, Any]]


def find_results(paths: Sequence[str | Path]) -> list[Path]:
    """Replace folders by the JSON files in them, sorted within each folder."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.glob('*.json')) if path.is_dir() else [path]
        if not inside:
            raise UserError(f'the folder {path} contains no results (*.json); pass the files that the raters sent')
        found += [file for file in inside if file not in found]
    return found


def read_results(paths: Sequence[str | Path], key: StudyKey) -> list[RaterResult]:
    """Read results files and check them against the key of their study.

    Of a session that was saved more than once, the file that was saved last counts.

    Returns:
        list: One result per rater, sorted by rater.

    Raises:
        UserError: If a file is not a results file, belongs to another page or does not match its form, or two sessions
            have the same rater.
    """
    latest: dict[str, tuple[str, RaterResult]] = {}
    for path in paths:
        record = read_record(path, RESULT_FORMAT, RESULT_VERSION)
        if record.get('page_hash') != key.page_hash:
            raise UserError(f'the results {path} belong to another page than the key '
                            f'({str(record.get("page_hash"))[:12]}, not {key.page_hash[:12]}); analyze each study '
                            'with its own key')
        try:
            result = _parse(record, str(path), key)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise UserError(f'the results {path} are damaged ({error!r}); ask the rater for the file again') from error
        saved = str(record.get('saved', ''))
        if result.session not in latest or saved >= latest[result.session][0]:
            latest[result.session] = (saved, result)
    results = sorted((result for _, result in latest.values()), key=lambda result: result.rater)
    for first, second in itertools.pairwise(results):
        if first.rater == second.rater:
            raise UserError(f'{first.file} and {second.file} are two sessions of the rater {first.rater!r}; leave one '
                            'out, or give two raters of the same name different names in the files')
    return results


def screen_raters(results: Sequence[RaterResult], key: StudyKey, max_failed: int = 0) -> Screening:
    """Exclude raters who failed attention checks.

    A check is failed by choosing the degraded video or "no difference". A rater of a study with checks who answered
    none of them is excluded too; an unplayable check counts as not answered.

    Args:
        results (Sequence[RaterResult]): One result per rater.
        key (StudyKey): The study's key.
        max_failed (int): Failed checks that are tolerated.
    """
    checks = sum(trial.is_check for trial in key.trials)
    plural = '' if max_failed == 1 else 's'
    rule = ('the study has no attention checks: no rater is excluded' if not checks else
            f'a rater who fails more than {max_failed} of the {checks} attention check{"s" * (checks > 1)} (prefers '
            'the degraded video or sees no difference) or answers none of them is excluded')
    kept, excluded = [], []
    for result in results:
        answered = [answer for answer in result.answers
                    if key.trials[answer.trial].is_check and answer.choice != 'unplayable']
        failed = sum(answer.winner != key.trials[answer.trial].right_answer for answer in answered)
        if checks and not answered:
            reason = 'answered no attention check'
        elif failed > max_failed:
            reason = f'failed {failed} of {len(answered)} attention checks, {max_failed} failure{plural} allowed'
        else:
            kept.append(result)
            continue
        excluded.append({'rater': result.rater, 'failed': failed, 'answered': len(answered), 'reason': reason})
    return Screening(rule, kept, excluded)


def _parse(record: dict[str, Any], path: str, key: StudyKey) -> RaterResult:
    """Parse one record; ValueError, KeyError or TypeError if it does not match its form."""
    shown = {}
    form = record['form']
    if type(form) is not int or not 0 <= form < len(key.forms):
        raise ValueError(f'there is no form {form!r}')
    for number, flipped in key.forms[form]:
        trial = key.trials[number]
        shown[trial.id] = (number, trial.videos[::-1] if flipped else trial.videos)
    answers = {}
    for answer in record['answers']:
        number, (left, right) = shown[answer['trial']]
        choice = answer['choice']
        if choice not in CHOICES or (answer['left'], answer['right']) != (left, right) or number in answers:
            raise ValueError(f'the answer to {answer["trial"]} does not match form {form}')
        if choice == 'tie' and not key.settings.get('allow_ties'):
            raise ValueError(f'the answer to {answer["trial"]} is a tie, which the page did not offer')
        reaction = float(answer['reaction_ms'])
        if not 0 <= reaction < math.inf:  # NaN fails too
            raise ValueError(f'the answer to {answer["trial"]} took {reaction} ms')
        winner = {'left': left, 'right': right}.get(choice)
        answers[number] = Answer(number, choice, winner, reaction)
    rater, session = record['rater'], record['session']
    if not (isinstance(rater, str) and rater and isinstance(session, str) and session):
        raise ValueError('rater and session must be strings')
    f'{rater}{session}'.encode()  # half of a surrogate pair, from a JSON escape, is a ValueError
    ordered = [answers[number] for number, _ in key.forms[form] if number in answers]
    return RaterResult(rater, session, path, ordered, len(shown) - len(ordered))
