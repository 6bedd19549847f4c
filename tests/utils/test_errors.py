import subprocess
import sys

import pytest

from leokit.utils import UserError, run_tool
from leokit.utils.errors import suggest


def leave(main):
    with pytest.raises(SystemExit) as leaving:
        run_tool(main)
    return leaving.value.code


def refuse():
    raise UserError('the file a.mp4 is empty; pass another')


def test_the_status_of_a_tool():
    assert leave(lambda: None) == 0
    assert leave(lambda: 143) == 143


def test_a_user_error_is_printed_as_one_line(capsys):
    assert leave(refuse) == 2
    assert capsys.readouterr().err == 'error: the file a.mp4 is empty; pass another\n'


def test_the_traceback_can_be_printed(monkeypatch):
    monkeypatch.setenv('LEOKIT_TRACEBACK', '1')
    with pytest.raises(UserError):
        run_tool(refuse)


def test_other_errors_are_raised():
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 // 0)


def test_a_closed_output_is_not_an_error():
    code = ("from leokit.utils import run_tool\n"
            "run_tool(lambda: [print('line', flush=True) for _ in range(100_000)] and None)")
    tool = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert tool.stdout.readline() == b'line\n'
    tool.stdout.close()
    said = tool.stderr.read()
    tool.stderr.close()
    assert tool.wait(60) == 141 and said == b''


def test_other_broken_pipes_are_raised():
    def main():
        raise BrokenPipeError('of a worker')
    with pytest.raises(BrokenPipeError, match='worker'):
        run_tool(main)


def test_suggestions():
    assert suggest('widht', ['width', 'size']) == "; did you mean 'width'?"
    assert suggest('color', ['width', 'size']) == ''


def test_an_interrupt_is_reported_in_one_word(monkeypatch, capsys):
    def main():
        raise KeyboardInterrupt
    with pytest.raises(SystemExit) as end:
        run_tool(main)
    assert end.value.code == 130 and 'interrupted' in capsys.readouterr().err
    monkeypatch.setenv('LEOKIT_TRACEBACK', '1')
    with pytest.raises(KeyboardInterrupt):
        run_tool(main)
