"""The command line: both commands, and one line for every mistake."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from leokit.user_study import StudyKey

from user_study.studies import METHODS, prefer, rate

TOOL = Path(__file__).parents[2] / 'tools' / 'user_study.py'


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the tool; return its exit status, output and error output."""
    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        monkeypatch.setattr(sys, 'path', list(sys.path))
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(TOOL), run_name='__main__')
        return stop.value.code, *capsys.readouterr()
    return call


def test_prepare_and_analyze(run, folders, tmp_path):
    chosen = [argument for method in METHODS[:2] for argument in ('--folder', f'{method}={folders[method]}')]
    page = tmp_path / 'new' / 'page.html'
    status, output, _ = run('prepare', *chosen, '--question', 'Which?', '--pairs-per-rater', 4, '--attention-checks', 1,
                            '--out', page)
    assert status == 0 and '4 pairs, matched by 6 common names' in output
    assert sorted(path.name for path in page.parent.iterdir()) == ['page.html', 'page.key.json']
    key = StudyKey.load(page.with_name('page.key.json'))
    for form in range(3):
        (tmp_path / f'{form}.json').write_text(json.dumps(rate(key, str(form), form, prefer(key, METHODS[1]))))
    status, output, _ = run('analyze', *(tmp_path / f'{form}.json' for form in range(3)), '--key',
                            page.with_name('page.key.json'), '--out', tmp_path / 'found' / 'report', '--bootstrap', 50)
    assert status == 0 and f'**{METHODS[1]}** over {METHODS[0]} | 100.0%' in output
    assert (tmp_path / 'found' / 'report.md').read_text() in output
    assert json.loads((tmp_path / 'found' / 'report.json').read_text())['raters']['kept'] == 3


def test_mistakes_are_one_line(run, folders, tmp_path):
    prepare = ['prepare', '--question', 'Which?', '--out', tmp_path / 'page.html', '--folder']
    good = f'a={folders[METHODS[0]]}'
    for arguments, message in (
            ([*prepare, good, '--folder', 'nonsense'], 'not of the form NAME=DIR'),
            ([*prepare, good, '--folder', good], "names 'a' twice"),
            ([*prepare, good], 'two or more folders'),
            ([*prepare, good, '--folder', f'b={tmp_path}'], 'there are no videos in'),
            (['analyze', tmp_path, '--key', tmp_path / 'none.json'], 'none.json cannot be read')):
        status, _, errors = run(*arguments)
        assert status == 2 and message in errors and errors.count('\n') == 1
    assert not list(tmp_path.iterdir())
