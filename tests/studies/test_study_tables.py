import json

from leokit.studies import compare, latex_report, markdown_report, plan_runs, write_results


def test_markdown_states_means_errors_and_differences(finished):
    text = markdown_report(compare(*finished), curves='curves.png')
    assert '| good | 3 | **4** ± 1.2 | **0.9** ± 0 |' in text
    assert '| bad one | 3 | 8 ± 1.2 | 0.7 ' in text
    assert '|  | seeds | error_1 ↓ | ratio → 1 |' in text
    assert '| bad one | error_1 | +4 ± 0 | +4 … +4 | 3 of 3 |' in text
    assert '## Differences to good' in text
    assert '| bad one | 2 | 10 | 0.7 |' in text and '![curves](curves.png)' in text
    assert '6 of 6 runs are done; seeds 0, 1, 2' in text


def test_latex_escapes_and_balances(finished):
    text = latex_report(compare(*finished))
    assert r'good & $\mathbf{4} \pm 1.2$ & $\mathbf{0.9} \pm 0$ \\' in text
    assert r'bad one, difference & $+4 \pm 0$ & $+0.2 \pm 0$ \\' in text
    assert r'error\_1 $\downarrow$ & ratio $\to 1$' in text
    rows = [line for line in text.splitlines() if line.endswith(r'\\')]
    assert {row.count(' & ') for row in rows} == {2} and text.count(r'\hline') == 4


def test_an_unstarted_study_has_a_table_of_dashes(finished, tmp_path):
    study, _ = finished
    comparison = compare(study, plan_runs(study, tmp_path))
    assert '| good | 0 | – | – |' in markdown_report(comparison) and 'Differences to' not in markdown_report(comparison)
    assert r'good & -- & -- \\' in latex_report(comparison)


def test_files_are_written(finished, tmp_path):
    write_results(compare(*finished), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['results.json', 'table.md', 'table.tex']
    numbers = json.loads((tmp_path / 'results.json').read_text())
    assert numbers['differences'][0]['mean'] == 4 and numbers['scores'][0]['values'] == {'0': 2.0, '1': 4.0, '2': 6.0}
