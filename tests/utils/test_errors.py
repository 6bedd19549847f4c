import errno
import logging
import os
import signal
import subprocess
import sys
import time

import pytest
from support.processes import CONTEXT, start_process

from leokit.utils import UserError, run_tool
from leokit.utils.errors import explain_error, suggest
from leokit.utils.files import atomic_path


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


def write_slowly(path, errors, sender):
    """Process target: a tool that has written half of its file."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), sys.stderr.fileno())

    def main():
        with atomic_path(path) as part:
            part.write_text('half')
            sender.send('writing')
            time.sleep(60)
    run_tool(main)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_removes_unfinished_files(tmp_path, number):
    receiver, sender = CONTEXT.Pipe(duplex=False)
    tool = start_process(write_slowly, tmp_path / 'a.txt', tmp_path / 'errors', sender)
    assert receiver.recv() == 'writing'
    os.kill(tool.pid, number)
    tool.join(60)
    assert tool.exitcode == 128 + number and (tmp_path / 'errors').read_text() == ''
    assert [path.name for path in tmp_path.iterdir()] == ['errors']


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


@pytest.mark.parametrize('number, status', [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_that_a_library_turned_into_an_error_is_still_a_signal(number, status, capsys):
    if number == signal.SIGINT:  # a job in the background of a shell inherits it as ignored
        before = signal.signal(number, signal.default_int_handler)

    def main():
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        except:  # noqa: E722  as in libraries
            raise SyntaxError('cannot be formatted')
    try:
        assert leave(main) == status
    finally:
        if number == signal.SIGINT:
            signal.signal(number, before)
    assert capsys.readouterr().err == ('\ninterrupted\n' if number == signal.SIGINT else '')


def test_an_error_while_another_is_handled_is_that_error(capsys):
    def main():
        try:
            raise KeyError('a')
        except KeyError:
            raise UserError('b is missing')
    assert leave(main) == 2 and capsys.readouterr().err == 'error: b is missing\n'
