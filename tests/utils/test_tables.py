import math

import pytest

from leokit.utils.tables import (
    escape_latex, escape_markdown, latex_score, latex_table, markdown_score, markdown_table, text_table)


def test_markdown_aligns_numbers_right_and_escapes_bars():
    assert markdown_table(['name', 'a'], [['x|y', '1']]).splitlines() == [
        '| name | a |', '| --- | ---: |', '| x\\|y | 1 |']


def test_padded_markdown_has_lines_of_one_length():
    lines = markdown_table(['', 'value', 'b'], [['a long name', '1', '22']], pad=True).splitlines()
    assert lines == [
        '|             | value |    b |', '| ----------- | ----: | ---: |', '| a long name |     1 |   22 |']


def test_latex_has_comments_above_and_lines_between():
    text = latex_table(['model', 'fvd'], [['a', '1'], None, ['b', '2']], comments=['note'])
    assert text.splitlines() == [
        '% note', r'\begin{tabular}{lr}', r'\hline', r'model & fvd \\', r'\hline', r'a & 1 \\', r'\hline', r'b & 2 \\',
        r'\hline', r'\end{tabular}']


def test_text_columns_are_aligned_over_rows_of_several_lengths():
    lines = text_table([['name', 'a', 'bb'], [], ['longer', '10']]).splitlines()
    assert lines == ['name     a  bb', '', 'longer  10']


def test_latex_escapes():
    assert escape_latex('a_b & 5%') == r'a\_b \& 5\%'


@pytest.mark.parametrize(('arguments', 'markdown', 'latex'), [
    ((12.3456, 0.512), '12.35 ± 0.51', r'$12.35 \pm 0.51$'), ((None,), '–', '--'), ((math.pi,), '3.142', '$3.142$')])
def test_scores(arguments, markdown, latex):
    assert markdown_score(*arguments) == markdown and latex_score(*arguments) == latex


def test_marked_scores():
    assert markdown_score(1, 0.5, sign='+', bold=True) == '**+1** ± 0.5'
    assert latex_score(1, 0.5, bold=True, superscript='a') == r'$\mathbf{1} \pm 0.5^{a}$'


HOSTILE = '<script>alert(1)</script>\n# heading | *x* `y` [z](javascript:0)'


def test_names_are_plain_text_in_markdown():
    assert escape_markdown(HOSTILE) == (
        '&lt;script>alert(1)&lt;/script> \\# heading \\| \\*x\\* \\`y\\` \\[z\\](javascript:0)')
    table = markdown_table([HOSTILE, 'x'], [[HOSTILE, '**1**']])
    assert '<' not in table and len(table.splitlines()) == 3 and '**1**' in table


def test_names_are_plain_text_in_latex():
    assert escape_latex('\\input{/etc/passwd}~a^b\nc') == (
        r'\textbackslash{}input\{/etc/passwd\}\textasciitilde{}a\textasciicircum{}b c')
    table = latex_table(['a', 'b'], [['1', '2']], comments=['x\n\\input{y}'])
    assert table.splitlines()[0] == r'% x \input{y}'
