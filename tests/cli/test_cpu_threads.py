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


def test_commands_set_it_before_torch_is_imported():
    code = '''
import os, sys
from leokit.cli import commands, cpu_threads
set_policy = cpu_threads.wait_passively
def wait_passively():
    print('torch' in sys.modules)
    set_policy()
commands.wait_passively = wait_passively
sys.argv = ['leokit', 'zoo', 'list']
try:
    commands.main()
finally:
    print(os.environ.get('OMP_WAIT_POLICY'))
'''
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    said = result.stdout.split()
    assert (said[0], said[-1]) == ('False', 'PASSIVE'), result.stderr
