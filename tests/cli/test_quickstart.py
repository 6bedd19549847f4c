"""``leokit quickstart`` as an orchestrator: what it runs, repeats and prints. The chain itself is in end_to_end."""

import argparse
import os
import subprocess
import sys
import time

import pytest

from leokit.cli import quickstart as command
from leokit.utils import UserError

LOG = '01/02 03:04:05 - mmengine - {} - {}'


@pytest.fixture
def quickstart(tmp_path, monkeypatch):
    """The command in an empty folder, with two harmless steps."""
    monkeypatch.chdir(tmp_path)
    for name in ('first', 'second'):
        write(name, f'open("runs", "a").write("{name} "); open("{name}", "w")')
    steps = [command.Step(f'the {name}', [f'{name}.py'], tmp_path / name) for name in ('first', 'second')]
    monkeypatch.setattr(command, 'PROGRAM', [sys.executable])
    monkeypatch.setattr(command, 'plan', lambda args: steps)
    monkeypatch.setattr(command, 'metrics_tables', lambda: '| table |')
    return lambda: command.run(argparse.Namespace())


def write(name, script):
    with open(f'{name}.py', 'w') as file:
        file.write(script)


def runs():
    with open('runs') as file:
        return file.read().split()


def test_it_resumes_where_it_stopped(quickstart, tmp_path, capsys):
    write('second', 'import sys; sys.exit(3)')
    with pytest.raises(UserError, match=r'\(status 3\); its output is in work_dirs/quickstart/logs/02_second.log'):
        quickstart()
    write('second', 'open("runs", "a").write("second "); open("second", "w")')
    quickstart()
    assert runs() == ['first', 'second']
    quickstart()
    assert runs() == ['first', 'second']
    said = capsys.readouterr().out
    assert said.count('[1/2] the first: already done') == 2 and '$ leokit second.py' in said and '| table |' in said
    (tmp_path / 'first').unlink()  # what follows was made of it
    quickstart()
    assert runs() == ['first', 'second', 'first', 'second']


def test_of_a_training_log_only_the_progress_is_printed(quickstart, capsys):
    lines = [LOG.format('INFO', 'Config:\\nmodel = 1'), LOG.format('INFO', 'Iter(train) [30/60] eta: 0:00:05'),
             LOG.format('WARNING', 'mind this'), LOG.format('INFO', 'saved'), 'plain']
    write('first', '\n'.join(f'print("{line}")' for line in lines[:-1]) + '\nopen("first", "w")')
    write('second', 'print("plain"); open("second", "w")')
    quickstart()
    said = capsys.readouterr().out
    assert '  Iter(train) [30/60] eta: 0:00:05\n  mind this\n' in said and '  plain\n' in said
    assert 'model = 1' not in said and 'saved' not in said
    with open('work_dirs/quickstart/logs/01_first.log') as file:
        assert 'model = 1' in file.read()


STEP = '''
import signal, sys, time
from leokit.utils.lifeline import stop_with_parent
def stop(number, frame):
    open('stopped', 'w')
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
stop_with_parent()
print('running', flush=True)
time.sleep(60)
'''
QUICKSTART = '''
import sys
from pathlib import Path
from leokit.cli import quickstart
quickstart.PROGRAM = [sys.executable]
quickstart.run_step(quickstart.Step('a training', ['step.py'], Path('result')), 1, 1)
'''


def test_a_killed_quickstart_leaves_no_step_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write('step', STEP)
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, '-c', QUICKSTART], stdout=subprocess.PIPE, text=True,
                          env=environment) as process:
        assert any('running' in line for line in process.stdout)
        process.kill()
    deadline = time.monotonic() + 30
    while not (tmp_path / 'stopped').exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_unseen_identities_are_those_of_the_test_split():
    steps = command.plan(argparse.Namespace(num_identities=20, long_frames=50, animator_options=[],
                                            motion_options=['a=1']))
    assert len(command.unseen_clips(20)) == 2
    assert sum('--cfg-options a=1' in step.command for step in steps) == 1
    assert len({step.result for step in steps}) == len(steps)
