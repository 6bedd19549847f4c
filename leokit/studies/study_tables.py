"""A study's table for papers (LaTeX) and for people (Markdown)."""

import json
from pathlib import Path

from leokit.studies.study import Metric
from leokit.studies.study_statistics import CONFIDENCE, Comparison, Estimate
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.tables import escape_latex

DIGITS = 4  # significant digits of a mean
ERROR_DIGITS = 2


def to_markdown(comparison: Comparison, *, picture: str | None = None, sheet: str | None = None) -> str:
    """The report.

    Args:
        comparison (Comparison): The scores.
        picture (str, optional): File of the curves, relative to the report.
        sheet (str, optional): File of the contact sheet, relative to the report.

    Returns:
        str: Markdown.
    """
    study = comparison.study
    seeds = ', '.join(map(str, study.seeds))
    blocks = [f'# {study.title}',
              f'{comparison.done} of {comparison.total} runs are done; seeds {seeds}. Mean ± standard error over '
              'seeds; the best mean is bold.', _scores(comparison)]
    if comparison.differences:
        blocks += [f'## Against {study.reference.name}',
                   f'Difference at the same seed, its standard error, and Student\'s {CONFIDENCE:.0%} interval. Of '
                   'whatever the metric, lower is made better (where a value is right, its distance from that), so '
                   f'above 0 {study.reference.name} is better; an interval that holds 0 decides nothing.',
                   _differences(comparison)]
    blocks += ['## Every run', _every_run(comparison)]
    if picture:
        blocks += ['## Training', f'Mean over seeds, with its standard error as a band.\n\n![curves]({picture})']
    if sheet:
        blocks += ['## What it looks like', f'The same clips by every variant.\n\n![contact sheet]({sheet})']
    return '\n\n'.join(blocks) + '\n'


def to_latex(comparison: Comparison) -> str:
    """The scores, and below the line the differences to the reference, as a LaTeX tabular."""
    study = comparison.study
    lines = [f'% {study.title}: mean and standard error over seeds {", ".join(map(str, study.seeds))}; below the line: '
             f'paired differences to {study.reference.name}, above 0 it is better',
             r'\begin{tabular}{l' + 'r' * len(study.metrics) + '}', r'\hline',
             ' & '.join(['', *(_latex_head(metric) for metric in study.metrics)]) + r' \\', r'\hline']
    for variant in study.variants:
        cells = [_latex_cell(comparison.scores.get((variant.name, metric.key)),
                             bold=comparison.best(metric) == variant.name) for metric in study.metrics]
        lines.append(' & '.join([escape_latex(variant.name), *cells]) + r' \\')
    if comparison.differences:
        lines.append(r'\hline')
    for variant in study.variants:
        cells = [_latex_cell(comparison.differences.get((variant.name, metric.key)), sign='+')
                 for metric in study.metrics]
        if set(cells) != {'--'}:
            lines.append(' & '.join([f'{escape_latex(variant.name)}, difference', *cells]) + r' \\')
    return '\n'.join([*lines, r'\hline', r'\end{tabular}']) + '\n'


def write_results(comparison: Comparison, folder: str | Path, *, picture: str | None = None,
                  sheet: str | None = None) -> None:
    """Write ``table.md``, ``table.tex`` and ``results.json``.

    Args:
        comparison (Comparison): The scores.
        folder (str | Path): Where to.
        picture (str, optional): File of the curves, relative to the folder.
        sheet (str, optional): File of the contact sheet, relative to the folder.
    """
    numbers = dict(
        title=comparison.study.title, reference=comparison.study.reference.name, done=comparison.done,
        total=comparison.total, scores=_records(comparison.scores), differences=_records(comparison.differences))
    contents = {'table.md': to_markdown(comparison, picture=picture, sheet=sheet), 'table.tex': to_latex(comparison),
                'results.json': json.dumps(numbers, indent=1) + '\n'}
    for name, content in contents.items():
        with clear_write_errors(Path(folder) / name):
            write_bytes(Path(folder) / name, content.encode())


def _records(estimates: dict[tuple[str, str], Estimate]) -> list[dict]:
    return [dict(variant=name, metric=key, mean=estimate.mean, error=estimate.error, interval=estimate.interval,
                 values=estimate.values) for (name, key), estimate in estimates.items()]


# ---- Markdown ----------------------------------------------------------------
def _scores(comparison: Comparison) -> str:
    study = comparison.study
    rows = []
    for variant in study.variants:
        estimates = [comparison.scores.get((variant.name, metric.key)) for metric in study.metrics]
        count = max((len(estimate.values) for estimate in estimates if estimate), default=0)
        cells = [_cell(estimate, bold=comparison.best(metric) == variant.name)
                 for estimate, metric in zip(estimates, study.metrics)]
        rows.append([variant.name, str(count), *cells])
    return _table(['', 'seeds', *(f'{_label(metric)} {_arrow(metric)}' for metric in study.metrics)], rows)


def _differences(comparison: Comparison) -> str:
    rows = []
    for variant in comparison.study.variants:
        for metric in comparison.study.metrics:
            estimate = comparison.differences.get((variant.name, metric.key))
            if estimate is None:
                continue
            worse = sum(value > 0 for value in estimate.values.values())
            interval = '–' if estimate.interval is None else '{:+.3g} … {:+.3g}'.format(*estimate.interval)
            rows.append([variant.name, _label(metric), _cell(estimate, sign='+'), interval,
                         f'{worse} of {len(estimate.values)}'])
    return _table(['', 'metric', 'difference', 'interval', 'seeds above 0'], rows)


def _every_run(comparison: Comparison) -> str:
    study = comparison.study
    rows = []
    for variant in study.variants:
        for seed in study.seeds:
            values = [comparison.scores[key].values.get(seed) if (key := (variant.name, metric.key))
                      in comparison.scores else None for metric in study.metrics]
            rows.append([variant.name, str(seed),
                         *('–' if value is None else f'{value:.{DIGITS}g}' for value in values)])
    return _table(['', 'seed', *map(_label, study.metrics)], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ['---'] + ['---:'] * (len(head) - 1), *rows]
    return '\n'.join('| ' + ' | '.join(cell.replace('|', '\\|') for cell in line) + ' |' for line in lines)


def _cell(estimate: Estimate | None, *, sign: str = '', bold: bool = False) -> str:
    if estimate is None:
        return '–'
    mean = f'{estimate.mean:{sign}.{DIGITS}g}'
    error = '' if estimate.error is None else f' ± {estimate.error:.{ERROR_DIGITS}g}'
    return (f'**{mean}**' if bold else mean) + error


def _label(metric: Metric) -> str:
    return metric.label or metric.key


def _arrow(metric: Metric) -> str:
    return {'low': '↓', 'high': '↑'}.get(metric.target) or f'→ {metric.target:g}'


# ---- LaTeX -------------------------------------------------------------------
def _latex_head(metric: Metric) -> str:
    arrow = {'low': r'$\downarrow$', 'high': r'$\uparrow$'}.get(metric.target) or rf'$\to {metric.target:g}$'
    return f'{escape_latex(_label(metric))} {arrow}'


def _latex_cell(estimate: Estimate | None, *, sign: str = '', bold: bool = False) -> str:
    if estimate is None:
        return '--'
    mean = f'{estimate.mean:{sign}.{DIGITS}g}'
    error = '' if estimate.error is None else rf' \pm {estimate.error:.{ERROR_DIGITS}g}'
    return '$' + (rf'\mathbf{{{mean}}}' if bold else mean) + error + '$'
