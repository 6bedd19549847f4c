"""Errors for people, and the wrapper that keeps tools from printing tracebacks for them."""

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
    """Something the person can mend: a file, a key, an argument.

    The message is one sentence that names the file or key and says the remedy.
    """


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name.

    Args:
        name (str): What was asked for.
        known (Iterable[str]): What there is.

    Returns:
        str: ``"; did you mean 'x'?"`` if something there is alike, else nothing.
    """
    close = difflib.get_close_matches(name, list(known), 2, 0.6)
    return f'; did you mean {" or ".join(map(repr, close))}?' if close else ''


def format_list(items: Sequence[str]) -> str:
    """The first few of several names, for an error message."""
    shown = ', '.join(items[:MAX_LISTED])
    return f'{shown}, ...' if len(items) > MAX_LISTED else shown


def run_tool(main: Callable[[], int | None]) -> None:
    """Run a command-line tool; print a :class:`UserError` as one line and exit with 2.

    The tool keeps freed memory, which makes networks on a CPU faster
    (:func:`~leokit.utils.cpu_memory.disable_malloc_trim`). One whose output is cut off (``| head``) or that is
    interrupted (Ctrl-C) ends without a traceback, with the status that a shell has for it. Set ``LEOKIT_TRACEBACK=1``
    to see the traceback as well.

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
        if not _output_is_cut_off():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush complains
        status = BROKEN_PIPE_STATUS
    sys.exit(status or 0)


def _output_is_cut_off() -> bool:
    """Whether nobody reads our output any more; a broken pipe may be another one."""
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)  # errors are always told
    except (OSError, ValueError):  # no file, or closed
        return False
    return bool(poll.poll(0))
