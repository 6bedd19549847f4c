"""The Markdown page has the content of the record."""

import json

from leokit.user_study import analyze_study, render_report

from user_study.studies import METHODS, prefer, rate


def report_of(key, folder, records):
    for record in records:
        (folder / f'{record["rater"]}.json').write_text(json.dumps(record))
    return render_report(analyze_study([folder], key, samples=100))


def test_every_part_is_there(key, tmp_path):
    careless = rate(key, 'careless', 2, prefer(key, METHODS[0]), keep=1)
    text = report_of(key, tmp_path, [careless] + [rate(key, str(i), i, prefer(key, METHODS[2])) for i in range(3)])
    for part in ('Which video looks more natural?', '## Preference', '## Ranking', 'Krippendorff', '## Raters',
                 'excluded: careless (answered no attention check)', '4 raters sent results, 3 are kept',
                 '18 answers of 3 raters'):
        assert part in text, part
    assert text.index(f'| {METHODS[2]} | 1 |') < text.index(f'| {METHODS[0]} |')


def test_the_preferred_method_comes_first_with_its_share(key, tmp_path):
    text = report_of(key, tmp_path, [rate(key, str(i), i, prefer(key, METHODS[2])) for i in range(3)])
    for other in METHODS[:2]:
        row = next(line for line in text.splitlines() if f'**{METHODS[2]}** over {other}' in line)
        assert '| 100.0% | 100.0% … 100.0% |' in row and '/ 0 / 0 |' in row


def test_tables_are_regular(key, tmp_path):
    text = report_of(key, tmp_path, [rate(key, 'ann', 0, prefer(key, METHODS[0]))])
    blocks = [block.splitlines() for block in text.split('\n\n') if block.startswith('|')]
    assert len(blocks) == 3
    for block in blocks:
        assert len({line.count('|') for line in block}) == 1
    assert 'nan' not in text and 'None' not in text
