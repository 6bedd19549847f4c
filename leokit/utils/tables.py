"""Tables and scores as text: Markdown, LaTeX, or columns aligned by spaces."""

from itertools import zip_longest
from typing import Sequence

MISSING = '–'  # a value that was not measured
DIGITS = 4  # significant digits of a score
MARKDOWN = frozenset('\\`*_[]!#|')  # letters that begin something in a line of Markdown
LATEX = {**{letter: f'\\{letter}' for letter in '_%&#${}'}, '\\': r'\textbackslash{}', '~': r'\textasciitilde{}',
         '^': r'\textasciicircum{}'}
STD_DIGITS = 2  # significant digits of its uncertainty


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, pad: bool = False) -> str:
    """A Markdown table, the first column left-aligned, the others right-aligned; no newline at the end.

    Args:
        head (Sequence[str]): Column titles.
        rows (Sequence[Sequence[str]]): Cells; ``|``, HTML and line breaks in them are escaped.
        pad (bool): Pad cells to equal widths, for a table that is also read as plain text.
    """
    escaped = [[escape_html(cell).replace('|', '\\|') for cell in row] for row in (head, *rows)]
    rules = ['---'] + ['---:'] * (len(head) - 1)
    widths = [max(map(len, column)) for column in zip(rules, *escaped)] if pad else [0] * len(head)
    lines = [escaped[0], [rule.rjust(width, '-') for rule, width in zip(rules, widths)], *escaped[1:]]
    return '\n'.join('| ' + ' | '.join(_aligned(line, widths)) + ' |' for line in lines)


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str] | None], *, comments: Sequence[str] = ()) -> str:
    """A LaTeX ``tabular``, the first column left-aligned, the others right-aligned; no newline at the end.

    Args:
        head (Sequence[str]): Column titles, in LaTeX; see :func:`escape_latex`.
        rows (Sequence): Cells, in LaTeX; None is a horizontal line.
        comments (Sequence[str]): Lines of comment above the table.
    """
    lines = ['% ' + ' '.join(comment.split()) for comment in comments]
    lines += [r'\begin{tabular}{l' + 'r' * (len(head) - 1) + '}', r'\hline', ' & '.join(head) + r' \\', r'\hline']
    lines += [r'\hline' if row is None else ' & '.join(row) + r' \\' for row in rows]
    return '\n'.join([*lines, r'\hline', r'\end{tabular}'])


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by spaces, the first one left, the others right; rows may have fewer cells than others."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue='')]
    return '\n'.join('  '.join(_aligned(row, widths)).rstrip() for row in rows)


def escape_latex(text: str) -> str:
    """Plain text as LaTeX source."""
    return ''.join(LATEX.get(letter, letter) for letter in ' '.join(text.split()))


def escape_html(text: str) -> str:
    """Text on one line in which no HTML element begins; Markdown passes HTML on to the browser."""
    return ' '.join(text.split()).replace('<', '&lt;')


def escape_markdown(text: str) -> str:
    """Plain text, such as a name that somebody entered, as Markdown on one line."""
    return ''.join(f'\\{letter}' if letter in MARKDOWN else letter for letter in ' '.join(text.split())).replace(
        '<', '&lt;')


def markdown_score(value: float | None, std: float | None = None, *, sign: str = '', bold: bool = False) -> str:
    """``12.35 ± 0.5``; a dash for None.

    Args:
        value (float, optional): The score, in four significant digits.
        std (float, optional): Its uncertainty, in two.
        sign (str): '+' writes the sign of positive values too.
        bold (bool): Set the value in bold.
    """
    if value is None:
        return MISSING
    text = f'{value:{sign}.{DIGITS}g}'
    return (f'**{text}**' if bold else text) + ('' if std is None else f' ± {std:.{STD_DIGITS}g}')


def latex_score(value: float | None, std: float | None = None, *, sign: str = '', bold: bool = False,
                superscript: str = '') -> str:
    r"""``$12.35 \pm 0.5$``; a dash for None. Arguments as in :func:`markdown_score`, and a superscript."""
    if value is None:
        return '--'
    text = f'{value:{sign}.{DIGITS}g}'
    text = (rf'\mathbf{{{text}}}' if bold else text) + ('' if std is None else rf' \pm {std:.{STD_DIGITS}g}')
    return f'${text}^{{{superscript}}}$' if superscript else f'${text}$'


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))]
