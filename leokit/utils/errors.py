"""Errors that the user can fix, and the wrapper of command-line tools that prints them without traceback."""

import difflib
import errno
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from leokit.utils.cpu_memory import disable_malloc_trim

BROKEN_PIPE_STATUS = 141  # 128 + SIGPIPE, what a shell reports
INTERRUPTED_STATUS = 130
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAX_LISTED = 3  # names in an error message
OUT_OF_MEMORY = ("can't allocate memory", 'not enough memory', 'out of memory')  # of torch's RuntimeErrors


class StoppedBySignal(SystemExit):
    """A signal ends the program; unlike an exit() in a config file, nobody may catch it."""


class UserError(ValueError):
    """An error that the user can fix: in a file, a config key or an argument.

    The message is one sentence that names the file or key and the remedy.
    """


def suggest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for an error message, if a known name is similar to ``name``; else an empty string."""
    close = difflib.get_close_matches(name, sorted(set(known)), 2, 0.6)
    return f'; did you mean {" or ".join(map(repr, close))}?' if close else ''


def format_list(items: Sequence[str]) -> str:
    """The first few of several names, for an error message."""
    shown = ', '.join(items[:MAX_LISTED])
    return f'{shown}, ...' if len(items) > MAX_LISTED else shown


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a command-line tool; print an error that the user can mend as one line and exit with 2.

    Such errors are :class:`UserError`, what the operating system says about a file, and a lack of memory. If its output
    is closed (``| head``) or a signal ends it (Ctrl-C, SIGTERM, SIGHUP), the tool removes its unfinished files and ends
    without a traceback, with the exit status that shells use. ``LEOKIT_TRACEBACK=1`` prints the traceback of errors.
    Memory settings are those of :func:`~leokit.utils.cpu_memory.disable_malloc_trim`, which makes networks on a CPU
    faster.

    Args:
        main (Callable): The tool's main function; its result is the exit status (None is 0).
    """
    disable_malloc_trim()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='backslashreplace')  # a file name that is not UTF-8 must not end a tool
    with_traceback = os.environ.get('LEOKIT_TRACEBACK') == '1'
    try:
        with _unwind_on_signals(), _drop_unwritable_lines():
            status = main()
    except KeyboardInterrupt:
        if with_traceback:
            raise
        status = _say_interrupted()
    except BrokenPipeError:
        if not _output_is_closed():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # otherwise the flush at exit raises again
        status = BROKEN_PIPE_STATUS
    except Exception as error:
        stop, sentence = _stop_behind(error), explain_error(error)
        if with_traceback or (stop is None and sentence is None):
            raise
        if isinstance(stop, StoppedBySignal):
            status = stop.code
        elif stop is not None:
            status = _say_interrupted()
        else:
            print(f'error: {sentence}', file=sys.stderr)
            status = 2
    sys.exit(status or 0)


def _say_interrupted() -> int:
    print('\ninterrupted', file=sys.stderr)
    return INTERRUPTED_STATUS


def _stop_behind(error: BaseException | None) -> BaseException | None:
    """The signal or Ctrl-C that an error came from: some libraries catch everything and raise an error of their own."""
    while error is not None and not isinstance(error, (StoppedBySignal, KeyboardInterrupt)):
        error = error.__context__
    return error


def explain_error(error: Exception) -> str | None:
    """One sentence about an error that the user can mend; None if it is a bug."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f'{os.fsdecode(error.filename)!r}: {error.strerror}; check the path, its permissions and the disk' \
            if isinstance(error.filename, (str, bytes)) else None
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return 'the disk is full (or a quota is reached); free some space, or write to another folder'
    if isinstance(error, MemoryError) or (
            isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)):
        return (f'there is not enough memory ({str(error).strip().splitlines()[0] if str(error) else "no details"}); '
                'lower the resolution, the batch size or the number of frames')
    return None


@contextmanager
def _unwind_on_signals() -> Iterator[None]:
    """Make SIGTERM and SIGHUP end the block by an exception, so that unfinished files are removed.

    A signal that is ignored (``nohup``) stays ignored.
    """
    def leave(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # launchers repeat it while files are removed
        raise StoppedBySignal(128 + number)
    changed = []
    if threading.current_thread() is threading.main_thread():  # Python allows signal handlers in no other
        changed = [number for number in (signal.SIGTERM, signal.SIGHUP)
                   if signal.getsignal(number) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _drop_unwritable_lines() -> Iterator[None]:
    """Let loggers drop what a closed pipe or a full disk does not take, instead of printing a traceback."""
    report = logging.Handler.handleError

    def handle(handler: logging.Handler, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            report(handler, record)
    logging.Handler.handleError = handle
    try:
        yield
    finally:
        logging.Handler.handleError = report


def _output_is_closed() -> bool:
    # the broken pipe may have been another one than standard output
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)  # errors are always reported
    except (OSError, ValueError):  # no file, or closed
        return False
    return bool(poll.poll(0))
