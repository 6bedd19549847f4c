import errno
import logging
import os
import signal
import subprocess
import sys

import pytest

from leokit.utils import UserError, run_tool
from leokit.utils.errors import explain_error, suggest


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


@pytest.mark.parametrize('error, reported', [
    (BrokenPipeError(32, 'Broken pipe'), False), (OSError(28, 'No space left on device'), False),
    (UnicodeError('no letter'), True)])
def test_log_lines_that_cannot_be_written_are_dropped(capsys, error, reported):
    class Closed:
        def write(self, text):
            raise error
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler(Closed()))
    plain = logging.Handler.handleError
    with pytest.raises(SystemExit) as leaving:
        run_tool(lambda: logger.warning('nobody reads this'))
    assert leaving.value.code == 0 and ('Traceback' in capsys.readouterr().err) == reported
    assert logging.Handler.handleError is plain


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


@pytest.mark.parametrize('error, sentence', [
    (PermissionError(13, 'Permission denied', '/private/a.mp4'), "'/private/a.mp4': Permission denied"),
    (OSError(36, 'File name too long', b'x' * 300), 'File name too long'),
    (MemoryError('Unable to allocate 335. GiB'), 'not enough memory (Unable to allocate 335. GiB)'),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes"), 'not enough memory')])
def test_what_the_system_refuses_is_one_sentence(capsys, error, sentence):
    def main():
        raise error
    assert leave(main) == 2
    said = capsys.readouterr().err
    assert said.startswith('error: ') and sentence in said and said.count('\n') == 1


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_removes_unfinished_files(tmp_path, number):
    code = f'''
import time
from leokit.utils import run_tool
from leokit.utils.files import atomic_path
def main():
    with atomic_path({str(tmp_path / 'a.txt')!r}) as part:
        part.write_text('half')
        print('writing', flush=True)
        time.sleep(60)
run_tool(main)
'''
    tool = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert tool.stdout.readline() == 'writing\n'
    tool.send_signal(number)
    said = tool.communicate(timeout=60)[1]
    assert tool.returncode == 128 + number and said == ''
    assert list(tmp_path.iterdir()) == []


def test_the_handlers_of_signals_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
    leave(lambda: None)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert leave(lambda: signal.raise_signal(signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_without_a_file_name_is_one_sentence(number):
    assert 'the disk is full' in explain_error(OSError(number, os.strerror(number)))
    assert explain_error(OSError(errno.EIO, 'broken')) is None
