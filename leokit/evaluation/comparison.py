"""Tables of result records; a column mixes protocols only on request."""

import string
from dataclasses import dataclass, field
from typing import Any, Sequence

from leokit.evaluation.records import ResultRecord
from leokit.evaluation.video_set_metrics import VIDEO_SET_METRICS
from leokit.utils import UserError
from leokit.utils.tables import (
    MISSING, escape_html, escape_latex, latex_score, latex_table, markdown_score, markdown_table)

HASH_LENGTH = 64
SHOWN_HASH_DIGITS = 8
# Values that only distances of two sets depend on; a statistic of the generated set does not.
VALUES_OF_DISTANCES = frozenset({
    'real set', 'real clips', 'generated clips', 'sampling.num_clips', 'sampling.real', 'sampling.split',
    'arithmetic.covariance', 'arithmetic.kernel'})


@dataclass
class ComparisonTable:
    """Scores by model and metric.

    Attributes:
        rows (list[str]): Models, in order of appearance.
        columns (list[str]): Metrics, in order of appearance.
        cells (dict): Record by (row, column).
        marks (dict): Letter by (row, column) in columns that mix protocols.
        notes (list[str]): Explanations of the letters.
    """

    rows: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    cells: dict[tuple[str, str], ResultRecord] = field(default_factory=dict)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def best(self, column: str) -> float | None:
        """Lowest value of a column of distances of one protocol.

        None for statistics of one set: the value of the real videos is ideal there, and a frozen video would be best.
        """
        metric = VIDEO_SET_METRICS.get(metric_name(column))
        mixed = any(key[1] == column for key in self.marks)
        values = [cell.score.value for key, cell in self.cells.items()
                  if key[1] == column and cell.score.value is not None]
        return min(values) if metric and metric.is_distance and not mixed and len(values) > 1 else None

    def to_markdown(self) -> str:
        """The table in Markdown, with the notes below."""
        rows = [[row, *(self._markdown_cell(row, column) for column in self.columns)] for row in self.rows]
        table = markdown_table(['model', *self.columns], rows)
        return '\n'.join([table] + [''] * bool(self.notes) + [escape_html(note) for note in self.notes]) + '\n'

    def to_latex(self) -> str:
        """The table as a LaTeX tabular, with the notes as comments."""
        rows = [[escape_latex(row), *(self._latex_cell(row, column) for column in self.columns)] for row in self.rows]
        return latex_table(['model', *map(escape_latex, self.columns)], rows, comments=self.notes) + '\n'

    def _markdown_cell(self, row: str, column: str) -> str:
        if (row, column) not in self.cells:
            return MISSING
        score, mark = self.cells[row, column].score, self.marks.get((row, column))
        text = markdown_score(score.value, score.std, bold=score.value == self.best(column))
        return f'{text} ({mark})' if mark and score.value is not None else text

    def _latex_cell(self, row: str, column: str) -> str:
        if (row, column) not in self.cells:
            return latex_score(None)
        score, mark = self.cells[row, column].score, self.marks.get((row, column), '')
        return latex_score(score.value, score.std, bold=score.value == self.best(column), superscript=mark)


def metric_name(key: str) -> str:
    """``fvd-efficientnet_lite0_dt@16x1`` -> ``fvd``."""
    return key.partition('@')[0].partition('-')[0]


def build_table(records: Sequence[ResultRecord], *, allow_mixed: bool = False) -> ComparisonTable:
    """Arrange records in a table; of a model with several training steps the last one is used.

    Args:
        records (Sequence[ResultRecord]): The scores.
        allow_mixed (bool): Allow different protocols in a column, marked by letters.

    Raises:
        UserError: If there are no records, a cell has two scores, or a column would mix protocols.
    """
    if not records:
        raise UserError('there are no result records to compare; pass files that leokit evaluate --out wrote')
    last: dict[tuple[str, str], ResultRecord] = {}
    for record in records:
        key = (_row(record), record.metric)
        other = last.get(key)
        if other is not None and other.run.step == record.run.step:
            raise UserError(f'there are two scores of {record.metric} for {key[0]!r}; name the models with leokit '
                            'evaluate --model, or leave one file out')
        if other is None or (record.run.step or 0) > (other.run.step or 0):
            last[key] = record
    table = ComparisonTable(rows=list(dict.fromkeys(row for row, _ in last)),
                            columns=list(dict.fromkeys(column for _, column in last)), cells=last)
    for column in table.columns:
        _check_column(table, column, allow_mixed)
    return table


def differences(records: Sequence[ResultRecord]) -> dict[str, list[Any]]:
    """The values that comparable records must share and these do not, as lists with one item per record."""
    values = [record.comparable() for record in records]
    metric = VIDEO_SET_METRICS.get(metric_name(records[0].metric))
    if metric is not None and not metric.is_distance:
        values = [{key: value for key, value in part.items() if key not in VALUES_OF_DISTANCES} for part in values]
    columns = {key: [part.get(key) for part in values] for part in values for key in part}
    return {key: column for key, column in columns.items() if any(value != column[0] for value in column)}


def _row(record: ResultRecord) -> str:
    return record.run.model or (record.fake.path if record.fake else 'unnamed')


def _check_column(table: ComparisonTable, column: str, allow_mixed: bool) -> None:
    """Raise if the scores of a column are not comparable, or mark them with one letter per protocol."""
    rows = [row for row in table.rows if (row, column) in table.cells]
    differ = differences([table.cells[row, column] for row in rows])
    if not differ:
        return
    if not allow_mixed:
        listing = '; '.join(f'{key}: ' + ', '.join(f'{row} {_shorten(value)}' for row, value in zip(rows, values))
                            for key, values in differ.items())
        raise UserError(f'the scores of {column} do not compare ({listing}); evaluate with one protocol'
                        f'{_remedy_for_data(table, column, rows) if "real set" in differ else ""}, or show them marked '
                        'with --allow-mixed')
    by_row = list(zip(*(map(str, values) for values in differ.values())))  # the differing values of each row
    variants = list(dict.fromkeys(by_row))
    letters = {variant: string.ascii_lowercase[number % 26] * (number // 26 + 1)  # a … z, aa … zz
               for number, variant in enumerate(variants)}
    for row, variant in zip(rows, by_row):
        table.marks[row, column] = letters[variant]
    for variant, letter in letters.items():
        listing = ', '.join(f'{key} {_shorten(value)}' for key, value in zip(differ, variant))
        table.notes.append(f'({letter}) {column}: {listing}')


def _remedy_for_data(table: ComparisonTable, column: str, rows: Sequence[str]) -> str:
    """How to find out what differs between two real sets."""
    records = [table.cells[row, column] for row in rows]
    first = next(record.real for record in records if record.real)
    second = next((record.real for record in records
                   if record.real and record.real.manifest_hash != first.manifest_hash), first)
    other = '' if first.path == second.path else (f' (leokit data check --videos {first.path} --same-as {second.path} '
                                                  'tells what differs)')
    return f' and against the same real videos{other}'


def _shorten(value: Any) -> str:
    text = str(value)
    return text[:SHOWN_HASH_DIGITS] if len(text) == HASH_LENGTH else text
