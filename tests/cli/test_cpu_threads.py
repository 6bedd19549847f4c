import os
import subprocess
import sys

import pytest

from leokit.cli.cpu_threads import CHOICES, wait_passively


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in CHOICES:
        monkeypatch.setenv(name, 'before')  # restored after the test
        monkeypatch.delenv(name)


def test_threads_sleep_unless_the_user_chooses(monkeypatch):
    wait_passively()
    assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'


@pytest.mark.parametrize('name, value', [('OMP_WAIT_POLICY', 'ACTIVE'), ('GOMP_SPINCOUNT', '5'),
                                         ('KMP_BLOCKTIME', '200')])
def test_the_choice_of_the_user_stays(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    wait_passively()
    assert os.environ[name] == value and os.environ.get('OMP_WAIT_POLICY') in (None, 'ACTIVE')


@pytest.mark.parametrize('command', [
    ['zoo', 'list'], ['train', 'none.py', '--cfg-options', 'a=1'],
    ['data', 'select', '--videos', 'none', '--where', 'frames>=8', '--out', 'none.json']])
def test_commands_set_it_before_torch_is_imported(command):
    code = '''
import gc, os, sys
from leokit.cli import commands, cpu_threads
set_policy = cpu_threads.wait_passively
def wait_passively():
    print('torch' in sys.modules)
    set_policy()
commands.wait_passively = wait_passively
try:
    commands.main()
finally:
    print(gc.get_freeze_count(), os.environ.get('OMP_WAIT_POLICY'))
'''
    result = subprocess.run([sys.executable, '-c', code, *command], capture_output=True, text=True, check=False)
    said = result.stdout.split()
    assert (said[0], said[-1]) == ('False', 'PASSIVE'), result.stderr
    assert int(said[-2]) > 100_000  # the imports took no garbage collection, with options that need them, too
