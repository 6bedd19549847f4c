"""``leokit user-study``: both commands, and one line for every mistake."""

import json

import pytest
from support.calling import run_command
from user_study.studies import METHODS, prefer, rate

from leokit.user_study import StudyKey
from leokit.utils import UserError


@pytest.fixture
def run(capsys):
    """Run a command; return its output."""
    def call(command, *arguments):
        run_command(f'user-study {command}', *arguments)
        return capsys.readouterr().out
    return call


def test_prepare_and_analyze(run, folders, tmp_path):
    chosen = [argument for method in METHODS[:2] for argument in ('--method', f'{method}={folders[method]}')]
    page = tmp_path / 'new' / 'page.html'
    output = run('prepare', *chosen, '--question', 'Which?', '--pairs-per-rater', 4, '--attention-checks', 1,
                            '--out', page)
    assert '4 pairs, matched by 6 common names' in output
    assert sorted(path.name for path in page.parent.iterdir()) == ['page.html', 'page.key.json']
    key = StudyKey.load(page.with_name('page.key.json'))
    for form in range(3):
        (tmp_path / f'{form}.json').write_text(json.dumps(rate(key, str(form), form, prefer(key, METHODS[1]))))
    output = run('analyze', *(tmp_path / f'{form}.json' for form in range(3)), '--key',
                            page.with_name('page.key.json'), '--out', tmp_path / 'found' / 'report', '--bootstrap', 50)
    assert f'**{METHODS[1]}** over {METHODS[0]} | 100.0%' in output
    assert (tmp_path / 'found' / 'report.md').read_text() in output
    assert json.loads((tmp_path / 'found' / 'report.json').read_text())['raters']['kept'] == 3


def test_mistakes_are_one_line(run, folders, tmp_path):
    prepare = ['prepare', '--question', 'Which?', '--out', tmp_path / 'page.html', '--method']
    good = f'a={folders[METHODS[0]]}'
    for arguments, message in (
            ([*prepare, good, '--method', 'nonsense'], 'not of the form NAME=DIR'),
            ([*prepare, good, '--method', good], "names 'a' twice"),
            ([*prepare, good], 'two or more folders'),
            ([*prepare, good, '--method', f'b={tmp_path}'], 'there are no videos in'),
            (['analyze', tmp_path, '--key', tmp_path / 'none.json'], 'none.json cannot be read')):
        with pytest.raises(UserError, match=message) as error:
            run(*arguments)
        assert '\n' not in str(error.value)
    assert not list(tmp_path.iterdir())
