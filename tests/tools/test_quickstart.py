"""``tools/quickstart.py`` as an orchestrator: what it shows, repeats, and says. The chain itself is in end_to_end."""

import argparse

import pytest

from leokit.utils import UserError
from support.tiny_runs import load_tool

LOG = '01/02 03:04:05 - mmengine - {} - {}'


@pytest.fixture
def quickstart(tmp_path, monkeypatch):
    """The tool in an empty folder, with two harmless steps; returns it and the folder's scripts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['quickstart'])
    (tmp_path / 'configs' / 'quickstart').mkdir(parents=True)
    tool = load_tool('quickstart')
    for name in ('first', 'second'):
        write(name, f'open("runs", "a").write("{name} "); open("{name}", "w")')
    steps = [tool.Step(f'the {name}', [f'{name}.py'], tmp_path / name) for name in ('first', 'second')]
    monkeypatch.setattr(tool, 'plan', lambda args: steps)
    monkeypatch.setattr(tool, 'metrics_table', lambda: '| table |')
    return tool


def write(name, script):
    with open(f'{name}.py', 'w') as file:
        file.write(script)


def runs():
    with open('runs') as file:
        return file.read().split()


def test_it_goes_on_where_it_stopped(quickstart, tmp_path, capsys):
    write('second', 'import sys; sys.exit(3)')
    with pytest.raises(UserError, match=r'step 2 of 2 failed \(status 3\); work_dirs/quickstart/logs/02_second.log'):
        quickstart.main()
    write('second', 'open("runs", "a").write("second "); open("second", "w")')
    quickstart.main()
    assert runs() == ['first', 'second']
    quickstart.main()
    assert runs() == ['first', 'second']
    said = capsys.readouterr().out
    assert said.count('[1/2] the first: there already') == 2 and '$ python second.py' in said and '| table |' in said
    (tmp_path / 'first').unlink()  # what follows was made of it
    quickstart.main()
    assert runs() == ['first', 'second', 'first', 'second']


def test_of_a_training_log_only_the_progress_is_shown(quickstart, capsys):
    lines = [LOG.format('INFO', 'Config:\\nmodel = 1'), LOG.format('INFO', 'Iter(train) [30/60] eta: 0:00:05'),
             LOG.format('WARNING', 'mind this'), LOG.format('INFO', 'saved'), 'plain']
    write('first', '\n'.join(f'print("{line}")' for line in lines[:-1]) + '\nopen("first", "w")')
    write('second', 'print("plain"); open("second", "w")')
    quickstart.main()
    said = capsys.readouterr().out
    assert '  Iter(train) [30/60] eta: 0:00:05\n  mind this\n' in said and '  plain\n' in said
    assert 'model = 1' not in said and 'saved' not in said
    with open('work_dirs/quickstart/logs/01_first.log') as file:
        assert 'model = 1' in file.read()


def test_unseen_people_are_those_of_the_test_split(tmp_path, monkeypatch):
    tool = load_tool('quickstart')
    steps = tool.plan(argparse.Namespace(identities=20, long_frames=50, animator_options=[], motion_options=['a=1']))
    assert len(tool.unseen_people(20)) == 2
    assert sum('--cfg-options a=1' in step.command for step in steps) == 1
    assert len({step.result for step in steps}) == len(steps)


def test_it_is_started_at_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['quickstart'])
    with pytest.raises(UserError, match='from the root of the repository'):
        load_tool('quickstart').main()
