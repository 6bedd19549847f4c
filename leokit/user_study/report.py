"""The findings of a study as Markdown."""

from typing import Any, Sequence


def render_report(report: dict[str, Any]) -> str:
    """Write the findings as a Markdown page.

    Args:
        report (dict): What :func:`leokit.user_study.analyze_study` returned.

    Returns:
        str: Markdown.
    """
    study, answers, protocol = report['study'], report['answers'], report['protocol']
    low, middle, high = (f'{value / 1000:.1f}' for value in answers['reaction_ms_quartiles'])
    blocks = [
        f'# {study["title"]}',
        f'> {study["question"]}',
        (f'{answers["counted"]} answers of {report["raters"]["kept"]} raters ({answers["ties"]} ties). Median time to '
         f'choose after both videos: {middle} s (quartiles {low} and {high} s). Page `{study["page_hash"][:12]}`. '
         f'Intervals cover {protocol["confidence"]:.0%}; {protocol["bootstrap_samples"]} bootstrap samples of raters, '
         f'seed {protocol["seed"]}.'),
        '## Preference',
        _preference_table(report['preferences']),
        ('Ties count one half for each side. The first interval resamples raters; Wilson\'s takes all answers as '
         'independent and is too narrow when raters differ.'),
        '## Ranking (Bradley-Terry)',
        _ranking_table(report['ranking']) if report['ranking'] else 'There is none, see the notes.',
        '## Agreement',
        _agreement_table(report['agreement'], report['sides']),
        '## Raters',
        _raters(report['raters'], answers),
    ]
    if report['notes']:
        blocks += ['## Notes', '\n'.join(f'- {note}' for note in report['notes'])]
    return '\n\n'.join(blocks) + '\n'


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; columns after the first are right-aligned."""
    lines = [head, ['---'] + ['---:'] * (len(head) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(str(cell).replace('|', '\\|') for cell in line) + ' |' for line in lines)


def _interval(ends: Sequence[float] | None, form: str) -> str:
    """An interval, or a dash."""
    return '–' if ends is None else f'{ends[0]:{form}} … {ends[1]:{form}}'


def _number(value: float | None, form: str = '.3f') -> str:
    """A number, or a dash."""
    return '–' if value is None else f'{value:{form}}'


def _preference_table(preferences: Sequence[dict[str, Any]]) -> str:
    """One row for each pair of methods, the preferred one first."""
    rows = []
    for entry in preferences:
        turned = entry['preference'] < 0.5
        first, second = ('second', 'first') if turned else ('first', 'second')
        wins, losses = ('losses', 'wins') if turned else ('wins', 'losses')
        share, *intervals = [entry['preference'], entry['bootstrap'], entry['wilson']]
        if turned:
            share = 1 - share
            intervals = [ends and [1 - ends[1], 1 - ends[0]] for ends in intervals]
        rows.append([f'**{entry[first]}** over {entry[second]}', f'{share:.1%}',
                     *(_interval(ends, '.1%') for ends in intervals),
                     f'{entry[wins]} / {entry["ties"]} / {entry[losses]}', entry['raters']])
    return _table(['preferred', 'share', 'interval', 'Wilson', 'wins / ties / losses', 'raters'], rows)


def _ranking_table(ranking: Sequence[dict[str, Any]]) -> str:
    """One row for each method, the best first."""
    rows = [[entry['method'], entry['rank'], _interval(entry['rank_interval'], 'd'), f'{entry["strength"]:+.3f}',
             _interval(entry['bootstrap'], '+.3f'), _number(entry['standard_error']),
             _number(entry['best_share'], '.0%')]
            for entry in ranking]
    return _table(['method', 'rank', 'ranks', 'strength', 'interval', 'std. error', 'comes first'], rows)


def _agreement_table(agreement: dict[str, Any], sides: dict[str, Any]) -> str:
    """Measures of agreement and the balance of sides."""
    total = sides['left'] + sides['right']
    per_pair = _number(agreement['raters_per_pair'], '.1f')
    rows = [
        ['Krippendorff\'s alpha', _number(agreement['krippendorff_alpha'])],
        ['Fleiss\' kappa', _number(agreement['fleiss_kappa'])],
        ['equal answers of two raters', _number(agreement['equal_answers'], '.1%')],
        ['pairs seen by two raters or more', f'{agreement["pairs"]} ({per_pair} raters each)'],
        ['left video chosen', f'{sides["left"] / total:.1%} ({_interval(sides["wilson"], ".1%")})' if total else '–'],
    ]
    return _table(['', ''], rows)


def _raters(raters: dict[str, Any], answers: dict[str, Any]) -> str:
    """Who was kept, who was not, and why."""
    lines = [f'{raters["sent"]} sent results, {raters["kept"]} count. Rule: {raters["rule"]}.']
    if answers['unplayable'] or answers['missing']:
        lines.append(f'{answers["unplayable"]} pairs could not be played, {answers["missing"]} were not answered.')
    text = ' '.join(lines)
    if raters['excluded']:
        text += '\n\n' + '\n'.join(f'- left out: {entry["rater"]} ({entry["reason"]})' for entry in raters['excluded'])
    return text
