"""The report of a study in Markdown, its table in LaTeX, and all numbers in JSON."""

import json
from pathlib import Path

from leokit.studies.study import Metric
from leokit.studies.study_statistics import CONFIDENCE, Comparison, Estimate
from leokit.utils.files import clear_write_errors, write_bytes
from leokit.utils.tables import MISSING, escape_latex, latex_score, latex_table, markdown_score, markdown_table


def markdown_report(comparison: Comparison, *, curves: str | None = None, sheet: str | None = None) -> str:
    """Means, paired differences and all runs.

    Args:
        comparison (Comparison): The scores.
        curves (str, optional): File of the training curves, relative to the report.
        sheet (str, optional): File of the contact sheet, relative to the report.
    """
    study = comparison.study
    seeds = ', '.join(map(str, study.seeds))
    blocks = [f'# {study.title}',
              f'{comparison.done} of {comparison.total} runs are done; seeds {seeds}. Mean ± standard error over '
              'seeds; the best mean is bold.', _scores(comparison)]
    if comparison.differences:
        blocks += [f'## Differences to {study.reference.name}',
                   'Mean difference under the same seed ± standard error, and its '
                   f'{CONFIDENCE:.0%} confidence interval (Student\'s t). Every metric counts as a loss (with an ideal '
                   'value, the distance from it), so a positive difference is in favor of '
                   f'{study.reference.name}. An interval that contains 0 is inconclusive.', _differences(comparison)]
    blocks += ['## All runs', _runs(comparison)]
    if curves:
        blocks += ['## Training', f'Mean over seeds with standard error.\n\n![curves]({curves})']
    if sheet:
        blocks += ['## Samples', f'The same clips from every variant.\n\n![contact sheet]({sheet})']
    return '\n\n'.join(blocks) + '\n'


def latex_report(comparison: Comparison) -> str:
    """The means and, below a line, the paired differences to the reference, as a LaTeX tabular."""
    study = comparison.study
    rows: list[list[str] | None] = []
    for variant in study.variants:
        rows.append([escape_latex(variant.name), *(
            latex_score(*_numbers(comparison.scores.get((variant.name, metric.key))),
                        bold=comparison.best(metric) == variant.name) for metric in study.metrics)])
    if comparison.differences:
        rows.append(None)
    for variant in study.variants:
        estimates = [comparison.differences.get((variant.name, metric.key)) for metric in study.metrics]
        if any(estimates):
            rows.append([f'{escape_latex(variant.name)}, difference',
                         *(latex_score(*_numbers(estimate), sign='+') for estimate in estimates)])
    comment = (f'{study.title}: mean and standard error over seeds {", ".join(map(str, study.seeds))}; below the line: '
               f'paired differences to {study.reference.name}, positive values are in its favor')
    return latex_table(['', *map(_latex_title, study.metrics)], rows, comments=[comment]) + '\n'


def write_results(comparison: Comparison, folder: str | Path, *, curves: str | None = None,
                  sheet: str | None = None) -> None:
    """Write ``table.md``, ``table.tex`` and ``results.json`` to a folder; arguments as in :func:`markdown_report`."""
    numbers = dict(
        title=comparison.study.title, reference=comparison.study.reference.name, done=comparison.done,
        total=comparison.total, scores=_records(comparison.scores), differences=_records(comparison.differences))
    contents = {'table.md': markdown_report(comparison, curves=curves, sheet=sheet),
                'table.tex': latex_report(comparison), 'results.json': json.dumps(numbers, indent=1) + '\n'}
    for name, content in contents.items():
        with clear_write_errors(Path(folder) / name):
            write_bytes(Path(folder) / name, content.encode())


def _records(estimates: dict[tuple[str, str], Estimate]) -> list[dict]:
    return [dict(variant=name, metric=key, mean=estimate.mean, error=estimate.error, interval=estimate.interval,
                 values=estimate.values) for (name, key), estimate in estimates.items()]


def _numbers(estimate: Estimate | None) -> tuple[float | None, float | None]:
    """Mean and standard error."""
    return (None, None) if estimate is None else (estimate.mean, estimate.error)


def _scores(comparison: Comparison) -> str:
    study = comparison.study
    rows = []
    for variant in study.variants:
        estimates = [comparison.scores.get((variant.name, metric.key)) for metric in study.metrics]
        count = max((len(estimate.values) for estimate in estimates if estimate), default=0)
        rows.append([variant.name, str(count), *(
            markdown_score(*_numbers(estimate), bold=comparison.best(metric) == variant.name)
            for estimate, metric in zip(estimates, study.metrics))])
    return markdown_table(['', 'seeds', *(f'{_label(metric)} {_arrow(metric)}' for metric in study.metrics)], rows)


def _differences(comparison: Comparison) -> str:
    rows = []
    for variant in comparison.study.variants:
        for metric in comparison.study.metrics:
            estimate = comparison.differences.get((variant.name, metric.key))
            if estimate is None:
                continue
            positive = sum(value > 0 for value in estimate.values.values())
            interval = MISSING if estimate.interval is None else '{:+.3g} … {:+.3g}'.format(*estimate.interval)
            rows.append([variant.name, _label(metric), markdown_score(*_numbers(estimate), sign='+'), interval,
                         f'{positive} of {len(estimate.values)}'])
    return markdown_table(['', 'metric', 'difference', 'interval', 'seeds above 0'], rows)


def _runs(comparison: Comparison) -> str:
    study = comparison.study
    rows = []
    for variant in study.variants:
        for seed in study.seeds:
            estimates = [comparison.scores.get((variant.name, metric.key)) for metric in study.metrics]
            values = [estimate.values.get(seed) if estimate else None for estimate in estimates]
            rows.append([variant.name, str(seed), *map(markdown_score, values)])
    return markdown_table(['', 'seed', *map(_label, study.metrics)], rows)


def _label(metric: Metric) -> str:
    return metric.label or metric.key


def _arrow(metric: Metric) -> str:
    return {'low': '↓', 'high': '↑'}.get(metric.target) or f'→ {metric.target:g}'


def _latex_title(metric: Metric) -> str:
    arrow = {'low': r'$\downarrow$', 'high': r'$\uparrow$'}.get(metric.target) or rf'$\to {metric.target:g}$'
    return f'{escape_latex(_label(metric))} {arrow}'
