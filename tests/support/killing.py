"""A command that signals itself at one of its file events: ``python killing.py FOLDER NUMBER SIGNAL COMMAND ...``.

Events are files opened for writing, renames and deletions below FOLDER. With NUMBER 0 the command runs to its end. The
number of events is printed last.
"""

import os
import sys
from pathlib import Path

WRITING = os.O_WRONLY | os.O_RDWR


def count_events(folder: str, last: int, number: int) -> list[str]:
    """Count from now on, and send the signal ``number`` at event ``last`` (from 1)."""
    events: list[str] = []

    def watch(name: str, arguments: tuple) -> None:
        if name == 'open':
            path, _, flags = arguments
            relevant = isinstance(flags, int) and flags & WRITING
        else:
            path, relevant = arguments[0] if arguments else None, name in ('os.rename', 'os.remove')
        if not relevant or not isinstance(path, (str, Path)) or not str(path).startswith(f'{folder}/'):
            return
        events.append(str(path))
        if len(events) == last:
            os.kill(os.getpid(), number)
    sys.addaudithook(watch)
    return events


def main() -> None:
    from leokit.cli import main
    folder, last, number, *command = sys.argv[1:]
    sys.argv = ['leokit', *command]
    events = count_events(folder, int(last), int(number))
    try:
        main()
    finally:
        print(len(events))


if __name__ == '__main__':
    main()
