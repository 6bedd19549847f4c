import os
import signal
import subprocess
import sys
import time

from leokit.utils.lifeline import VARIABLE, Lifeline, stop_with_parent

CHILD = """
import os, signal, sys, time
from leokit.utils.lifeline import stop_with_parent
def stop(number, frame):
    open(sys.argv[1], 'w').write('stopped')
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
stop_with_parent()
print(os.getpid(), flush=True)
time.sleep(60)
"""
PARENT = """
import os, subprocess, sys, time
from leokit.utils.lifeline import Lifeline
lifeline = Lifeline()
subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], start_new_session=True, **lifeline.options(dict(os.environ)))
time.sleep(60)
"""


def test_a_child_is_stopped_when_its_parent_is_killed(tmp_path):
    parent = subprocess.Popen([sys.executable, '-c', PARENT, CHILD, str(tmp_path / 'end')], stdout=subprocess.PIPE,
                              text=True, env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    os.kill(child, 0)
    assert not (tmp_path / 'end').exists()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    for _ in range(200):
        if (tmp_path / 'end').exists():
            break
        time.sleep(0.05)
    assert (tmp_path / 'end').read_text() == 'stopped'


def test_a_child_that_ends_by_itself(tmp_path):
    lifeline = Lifeline()
    code = 'import os, sys; sys.exit(int(os.environ["LEOKIT_LIFELINE"]) < 3)'
    assert subprocess.run([sys.executable, '-c', code], **lifeline.options(dict(os.environ))).returncode == 0
    lifeline.close()


def test_without_a_parent_nothing_happens(monkeypatch):
    for text in ('', 'x', '99999', '0'):
        monkeypatch.setenv(VARIABLE, text)
        stop_with_parent()
        assert VARIABLE not in os.environ
