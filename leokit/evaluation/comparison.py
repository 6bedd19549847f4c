"""Tables of result records, in which a column never mixes protocols unless told to."""

import string
from dataclasses import dataclass, field
from typing import Any, Sequence

from leokit.evaluation.records import ResultRecord
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS
from leokit.utils import UserError
from leokit.utils.tables import MISSING, escape_latex, latex_score, latex_table, markdown_score, markdown_table

HASH_DIGITS = 8  # digits of a SHA-256 that are shown
# Facts that a metric of the generated videos alone does not depend on.
OF_DISTANCES = ('real set', 'real clips', 'generated clips', 'sampling.num_clips', 'sampling.real', 'sampling.split',
                'arithmetic.covariance', 'arithmetic.kernel')


@dataclass
class Table:
    """Scores by model and metric.

    Attributes:
        rows (list[str]): Models, in order of appearance.
        columns (list[str]): Metrics, in order of appearance.
        cells (dict): Record for (row, column).
        marks (dict): Letter for (row, column) where a column mixes protocols.
        notes (list[str]): What the letters mean, and what else a reader should know.
    """

    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    cells: dict[tuple[str, str], ResultRecord] = field(default_factory=dict)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def best(self, column: str) -> float | None:
        """Lowest value of a column of distances of one protocol.

        None for what videos have in themselves: there the real videos' value is right, and a frozen one would win.
        """
        metric = VIDEO_SET_METRICS.get(metric_name(column))
        mixed = any(key[1] == column for key in self.marks)
        values = [cell.score.value for key, cell in self.cells.items()
                  if key[1] == column and cell.score.value is not None]
        return min(values) if metric and metric.is_distance and not mixed and len(values) > 1 else None


def metric_name(key: str) -> str:
    """``fvd-efficientnet_lite0_dt@16x1`` -> ``fvd``."""
    return key.partition('@')[0].partition('-')[0]


def build_table(records: Sequence[ResultRecord], *, allow_mixed: bool = False) -> Table:
    """Put records into a table; of a model with several training steps the last one counts.

    Args:
        records (Sequence[ResultRecord]): The scores.
        allow_mixed (bool): Let a column hold scores of different protocols, marked by letters.

    Returns:
        Table: The table.

    Raises:
        UserError: If there is nothing to show, a cell has two scores, or a column would mix protocols.
    """
    if not records:
        raise UserError('there are no result records to compare; pass files that leokit evaluate --out wrote')
    table = Table()
    last = {}
    for record in records:
        key = (_row(record), record.metric)
        other = last.get(key)
        if other is not None and other.run.step == record.run.step:
            raise UserError(f'there are two scores of {record.metric} for {key[0]!r}; name what made the videos with '
                            'leokit evaluate --model, or leave one file out')
        if other is None or (record.run.step or 0) > (other.run.step or 0):
            last[key] = record
    for (row, column), record in last.items():
        if row not in table.rows:
            table.rows.append(row)
        if column not in table.columns:
            table.columns.append(column)
        table.cells[row, column] = record
    for column in table.columns:
        _check_column(table, column, allow_mixed)
    return table


def to_markdown(table: Table) -> str:
    """The table in Markdown, notes below."""
    rows = [[row, *(_markdown_cell(table, row, column) for column in table.columns)] for row in table.rows]
    lines = [markdown_table(['model', *table.columns], rows)]
    return '\n'.join(lines + [''] * bool(table.notes) + table.notes) + '\n'


def to_latex(table: Table) -> str:
    """The table as a LaTeX tabular, notes as comments."""
    rows = [[escape_latex(row), *(_latex_cell(table, row, column) for column in table.columns)] for row in table.rows]
    return latex_table(['model', *map(escape_latex, table.columns)], rows, comments=table.notes) + '\n'


def differences(records: Sequence[ResultRecord]) -> dict[str, list[Any]]:
    """What records disagree on, of all that scores in one column must share; ``key -> values``, one a record."""
    facts = [record.comparable() for record in records]
    metric = VIDEO_SET_METRICS.get(metric_name(records[0].metric))
    if metric is not None and not metric.is_distance:
        facts = [{key: value for key, value in fact.items() if key not in OF_DISTANCES} for fact in facts]
    columns = {key: [fact.get(key) for fact in facts] for fact in facts for key in fact}
    return {key: values for key, values in columns.items() if any(value != values[0] for value in values)}


def _row(record: ResultRecord) -> str:
    return record.run.model or (record.fake.path if record.fake else 'unnamed')


def _check_column(table: Table, column: str, allow_mixed: bool) -> None:
    rows = [row for row in table.rows if (row, column) in table.cells]
    differ = differences([table.cells[row, column] for row in rows])
    if not differ:
        return
    told = '; '.join(f'{key}: ' + ', '.join(f'{row} {_short(value)}' for row, value in zip(rows, values))
                     for key, values in differ.items())
    if not allow_mixed:
        raise UserError(f'the scores of {column} do not compare ({told}); measure them with one protocol, or show them '
                        'marked with --allow-mixed')
    kinds = list(dict.fromkeys(zip(*(map(str, values) for values in differ.values()))))
    for row, kind in zip(rows, zip(*(map(str, values) for values in differ.values()))):
        table.marks[row, column] = string.ascii_lowercase[kinds.index(kind) % 26]
    for number, kind in enumerate(kinds):
        facts = ', '.join(f'{key} {_short(value)}' for key, value in zip(differ, kind))
        table.notes.append(f'({string.ascii_lowercase[number % 26]}) {column}: {facts}')


def _markdown_cell(table: Table, row: str, column: str) -> str:
    if (row, column) not in table.cells:
        return MISSING
    score, mark = table.cells[row, column].score, table.marks.get((row, column))
    text = markdown_score(score.value, score.std, bold=score.value == table.best(column))
    return f'{text} ({mark})' if mark and score.value is not None else text


def _latex_cell(table: Table, row: str, column: str) -> str:
    if (row, column) not in table.cells:
        return latex_score(None)
    score, mark = table.cells[row, column].score, table.marks.get((row, column), '')
    return latex_score(score.value, score.std, bold=score.value == table.best(column), superscript=mark)


def _short(value: Any) -> str:
    text = str(value)
    return text[:HASH_DIGITS] if len(text) == 64 else text
