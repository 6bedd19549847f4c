"""Errors that the user can fix, and the wrapper of command-line tools that prints them without traceback."""

import difflib
import os
import select
import sys
from collections.abc import Callable, Iterable, Sequence

from leokit.utils.cpu_memory import disable_malloc_trim

BROKEN_PIPE_STATUS = 141  # 128 + SIGPIPE, what a shell reports
INTERRUPTED_STATUS = 130
MAX_LISTED = 3  # names in an error message


class UserError(ValueError):
    """An error that the user can fix: in a file, a config key or an argument.

    The message is one sentence that names the file or key and the remedy.
    """


def suggest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for an error message, if a known name is similar to ``name``; else an empty string."""
    close = difflib.get_close_matches(name, list(known), 2, 0.6)
    return f'; did you mean {" or ".join(map(repr, close))}?' if close else ''


def format_list(items: Sequence[str]) -> str:
    """The first few of several names, for an error message."""
    shown = ', '.join(items[:MAX_LISTED])
    return f'{shown}, ...' if len(items) > MAX_LISTED else shown


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a command-line tool; print a :class:`UserError` as one line and exit with 2.

    If its output is closed (``| head``) or it is interrupted (Ctrl-C), the tool ends without a traceback, with the exit
    status that shells use. ``LEOKIT_TRACEBACK=1`` prints the traceback of errors. Memory settings are those of
    :func:`~leokit.utils.cpu_memory.disable_malloc_trim`, which makes networks on a CPU faster.

    Args:
        main (Callable): The tool's main function; its result is the exit status (None is 0).
    """
    disable_malloc_trim()
    try:
        status = main()
    except UserError as error:
        if os.environ.get('LEOKIT_TRACEBACK') == '1':
            raise
        print(f'error: {error}', file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        if os.environ.get('LEOKIT_TRACEBACK') == '1':
            raise
        print('\ninterrupted', file=sys.stderr)
        status = INTERRUPTED_STATUS
    except BrokenPipeError:
        if not _output_is_closed():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # otherwise the flush at exit raises again
        status = BROKEN_PIPE_STATUS
    sys.exit(status or 0)


def _output_is_closed() -> bool:
    # the broken pipe may have been another one than standard output
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)  # errors are always reported
    except (OSError, ValueError):  # no file, or closed
        return False
    return bool(poll.poll(0))
