"""Scores of one model in several scenarios, as a table for people: a row a metric."""

from typing import Mapping, Sequence

from leokit.evaluation.comparison import DIGITS, STD_DIGITS
from leokit.evaluation.records import ResultRecord

MISSING = '–'


def score_table(scenarios: Mapping[str, Sequence[ResultRecord]]) -> str:
    """A Markdown table.

    Args:
        scenarios (Mapping): Records by the name of their column.

    Returns:
        str: A row for every metric; where a metric is measured of real videos too, their value stands behind it. Below,
        once each, what a reader of the scores should know.
    """
    metrics = list(dict.fromkeys(record.metric for records in scenarios.values() for record in records))
    cells = {(name, record.metric): _cell(record) for name, records in scenarios.items() for record in records}
    rows = [['metric', *scenarios], ['---'] + ['---:'] * len(scenarios)]
    rows += [[metric, *(cells.get((name, metric), MISSING) for name in scenarios)] for metric in metrics]
    notes = dict.fromkeys(f'{name}: {sentence}' for name, records in scenarios.items() for record in records
                          for sentence in record.warnings)
    lines = ['| ' + ' | '.join(row) + ' |' for row in rows]
    return '\n'.join(lines + [''] * bool(notes) + [f'- {note}' for note in notes]) + '\n'


def _cell(record: ResultRecord) -> str:
    score = record.score
    if score.value is None:
        return MISSING
    text = f'{score.value:.{DIGITS}g}'
    if score.std is not None:
        text += f' ± {score.std:.{STD_DIGITS}g}'
    real = record.details.get('real_value')
    return text if real is None else f'{text} (real {real:.{DIGITS}g})'
