"""Tables of result records, in which a column never mixes protocols unless told to."""

import string
from dataclasses import dataclass, field
from typing import Any, Sequence

from leokit.evaluation.records import ResultRecord
from leokit.evaluation.video_set_metrics import MEASURES
from leokit.utils import UserError

DIGITS = 4  # significant digits of a value
STD_DIGITS = 2
HASH_DIGITS = 8  # digits of a SHA-256 that are shown
# Facts that a measure of the generated videos alone does not depend on.
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
        measure = MEASURES.get(metric_name(column))
        mixed = any(key[1] == column for key in self.marks)
        values = [cell.score.value for key, cell in self.cells.items()
                  if key[1] == column and cell.score.value is not None]
        return min(values) if measure and measure.paired and not mixed and len(values) > 1 else None


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
        raise UserError('there are no result records to compare; pass files that tools/evaluate.py --out wrote')
    table = Table()
    last = {}
    for record in records:
        key = (_row(record), record.metric)
        other = last.get(key)
        if other is not None and other.run.step == record.run.step:
            raise UserError(f'there are two scores of {record.metric} for {key[0]!r}; name what made the videos with '
                            'tools/evaluate.py --model, or leave one file out')
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
    lines = ['| model | ' + ' | '.join(table.columns) + ' |', '|---' * (len(table.columns) + 1) + '|']
    for row in table.rows:
        cells = [_cell(table, row, column, bold='**{}**', plus_minus=' ± ', mark=' ({})') for column in table.columns]
        lines.append(f'| {row} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines + [''] * bool(table.notes) + table.notes) + '\n'


def to_latex(table: Table) -> str:
    """The table as a LaTeX tabular, notes as comments."""
    lines = [f'% {note}' for note in table.notes]
    lines += [r'\begin{tabular}{l' + 'r' * len(table.columns) + '}', r'\hline',
              ' & '.join(['model', *map(escape_latex, table.columns)]) + r' \\', r'\hline']
    for row in table.rows:
        cells = [_cell(table, row, column, bold=r'\mathbf{{{}}}', plus_minus=r' \pm ', mark=r'^{{{}}}')
                 for column in table.columns]
        math = [f'${cell}$' if cell != '–' else '--' for cell in cells]
        lines.append(' & '.join([escape_latex(row), *math]) + r' \\')
    return '\n'.join([*lines, r'\hline', r'\end{tabular}']) + '\n'


def differences(records: Sequence[ResultRecord]) -> dict[str, list[Any]]:
    """What records disagree on, of all that scores in one column must share; ``key -> values``, one a record."""
    facts = [record.comparable() for record in records]
    measure = MEASURES.get(metric_name(records[0].metric))
    if measure is not None and not measure.paired:
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


def _cell(table: Table, row: str, column: str, *, bold: str, plus_minus: str, mark: str) -> str:
    record = table.cells.get((row, column))
    if record is None or record.score.value is None:
        return '–'
    text = f'{record.score.value:.{DIGITS}g}'
    if record.score.value == table.best(column):
        text = bold.format(text)
    if record.score.std is not None:
        text += f'{plus_minus}{record.score.std:.{STD_DIGITS}g}'
    return text + (mark.format(table.marks[row, column]) if (row, column) in table.marks else '')


def _short(value: Any) -> str:
    text = str(value)
    return text[:HASH_DIGITS] if len(text) == 64 else text


def escape_latex(text: str) -> str:
    """Text that means itself in LaTeX."""
    return ''.join(f'\\{letter}' if letter in '_%&#$' else letter for letter in text)
