"""A table of the scores of one model in several scenarios, with one row per metric."""

from typing import Mapping, Sequence

from leokit.evaluation.records import ResultRecord
from leokit.utils.tables import DIGITS, MISSING, markdown_score, markdown_table


def score_table(scenarios: Mapping[str, Sequence[ResultRecord]]) -> str:
    """Markdown table of records by the name of their column, with their warnings below.

    For statistics that are also reported for real videos, the real value follows the score.
    """
    metrics = list(dict.fromkeys(record.metric for records in scenarios.values() for record in records))
    cells = {(name, record.metric): _cell(record) for name, records in scenarios.items() for record in records}
    rows = [[metric, *(cells.get((name, metric), MISSING) for name in scenarios)] for metric in metrics]
    notes = dict.fromkeys(f'{name}: {sentence}' for name, records in scenarios.items() for record in records
                          for sentence in record.warnings)
    table = markdown_table(['metric', *scenarios], rows)
    return '\n'.join([table] + [''] * bool(notes) + [f'- {note}' for note in notes]) + '\n'


def _cell(record: ResultRecord) -> str:
    text = markdown_score(record.score.value, record.score.std)
    real = record.details.get('real_value')
    return text if real is None or text == MISSING else f'{text} (real {real:.{DIGITS}g})'
