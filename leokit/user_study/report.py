"""The findings of a study as Markdown."""

from typing import Any, Sequence

from leokit.utils.tables import MISSING, escape_html, escape_markdown, markdown_table


def render_report(report: dict[str, Any]) -> str:
    """The result of :func:`leokit.user_study.analyze_study` as a Markdown page."""
    study, answers, protocol = report['study'], report['answers'], report['protocol']
    low, middle, high = (f'{value / 1000:.1f}' for value in answers['reaction_ms_quartiles'])
    blocks = [
        f'# {escape_markdown(study["title"])}',
        f'> {escape_markdown(study["question"])}',
        (f'{answers["counted"]} answers of {report["raters"]["kept"]} raters ({answers["ties"]} ties). Median time to '
         f'choose after both videos: {middle} s (quartiles {low} and {high} s). Page `{study["page_hash"][:12]}`. '
         f'Intervals cover {protocol["confidence"]:.0%}; {protocol["bootstrap_samples"]} bootstrap samples of raters, '
         f'seed {protocol["seed"]}.'),
        '## Preference',
        _preference_table(report['preferences']),
        ('Ties count one half for each method. The first interval resamples raters; Wilson\'s takes all answers as '
         'independent and is too narrow when raters differ.'),
        '## Ranking (Bradley-Terry)',
        _ranking_table(report['ranking']) if report['ranking'] else 'There is no ranking; see the notes.',
        '## Agreement',
        _agreement_table(report['agreement'], report['sides']),
        '## Raters',
        _raters(report['raters'], answers),
    ]
    if report['notes']:
        blocks += ['## Notes', '\n'.join(f'- {escape_html(note)}' for note in report['notes'])]
    return '\n\n'.join(blocks) + '\n'


def _interval(ends: Sequence[float] | None, form: str) -> str:
    return MISSING if ends is None else f'{ends[0]:{form}} … {ends[1]:{form}}'


def _number(value: float | None, form: str = '.3f') -> str:
    return MISSING if value is None else f'{value:{form}}'


def _preference_table(preferences: Sequence[dict[str, Any]]) -> str:
    """One row per pair of methods, the preferred one first."""
    rows = []
    for entry in preferences:
        swap = entry['preference'] < 0.5
        first, second = ('second', 'first') if swap else ('first', 'second')
        wins, losses = ('losses', 'wins') if swap else ('wins', 'losses')
        share, *intervals = [entry['preference'], entry['bootstrap'], entry['wilson']]
        if swap:
            share = 1 - share
            intervals = [ends and [1 - ends[1], 1 - ends[0]] for ends in intervals]
        rows.append([f'**{escape_markdown(entry[first])}** over {escape_markdown(entry[second])}', f'{share:.1%}',
                     *(_interval(ends, '.1%') for ends in intervals),
                     f'{entry[wins]} / {entry["ties"]} / {entry[losses]}', str(entry['raters'])])
    return markdown_table(['preferred', 'share', 'interval', 'Wilson', 'wins / ties / losses', 'raters'], rows)


def _ranking_table(ranking: Sequence[dict[str, Any]]) -> str:
    """One row per method, the best first."""
    rows = [[escape_markdown(entry['method']), str(entry['rank']), _interval(entry['rank_interval'], 'd'),
             f'{entry["strength"]:+.3f}',
             _interval(entry['bootstrap'], '+.3f'), _number(entry['standard_error']),
             _number(entry['best_share'], '.0%')]
            for entry in ranking]
    return markdown_table(['method', 'rank', 'ranks', 'strength', 'interval', 'std. error', 'ranks first'], rows)


def _agreement_table(agreement: dict[str, Any], sides: dict[str, Any]) -> str:
    """Measures of agreement, and how often the left video was chosen."""
    total = sides['left'] + sides['right']
    per_pair = _number(agreement['raters_per_pair'], '.1f')
    left = f'{sides["left"] / total:.1%} ({_interval(sides["wilson"], ".1%")})' if total else MISSING
    rows = [
        ['Krippendorff\'s alpha', _number(agreement['krippendorff_alpha'])],
        ['Fleiss\' kappa', _number(agreement['fleiss_kappa'])],
        ['equal answers of two raters', _number(agreement['equal_answers'], '.1%')],
        ['pairs seen by two or more raters', f'{agreement["pairs"]} ({per_pair} raters each)'],
        ['left video chosen', left],
    ]
    return markdown_table(['', ''], rows)


def _raters(raters: dict[str, Any], answers: dict[str, Any]) -> str:
    """Raters who were kept and excluded, with reasons."""
    lines = [f'{raters["sent"]} raters sent results, {raters["kept"]} are kept. Rule: {raters["rule"]}.']
    if answers['unplayable'] or answers['missing']:
        lines.append(f'{answers["unplayable"]} pairs could not be played, {answers["missing"]} were not answered.')
    text = ' '.join(lines)
    if raters['excluded']:
        text += '\n\n' + '\n'.join(f'- excluded: {escape_markdown(entry["rater"])} ({entry["reason"]})'
                                   for entry in raters['excluded'])
    return text
