"""Running commands and scripts within the test's own process."""

import contextlib
import io
import runpy
import sys
from pathlib import Path
from unittest import mock

from leokit.cli import main
from leokit.cli.commands import build_parser

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def run_command(command, *arguments):
    """Run ``leokit COMMAND ARGUMENTS``; its errors are raised here.

    Args:
        command (str): The command, with its subcommand if it has one: ``'analyze probe'``.
        *arguments: Its arguments.
    """
    args = build_parser().parse_args([*command.split(), *map(str, arguments)])
    return args.run(args)


def call_command(command, *arguments):
    """Run ``leokit COMMAND ARGUMENTS`` to its exit.

    Args:
        command (str): As in :func:`run_command`.
        *arguments: Its arguments.

    Returns:
        tuple[int, str]: Exit status and output.
    """
    return _catch_exit(main, ['leokit', *command.split(), *map(str, arguments)])


def call_tool(name, *arguments):
    """Run the script ``tools/<name>.py``; arguments and result as of :func:`call_command`."""
    path = str(TOOLS / f'{name}.py')
    return _catch_exit(lambda: runpy.run_path(path, run_name='__main__'), [path, *map(str, arguments)])


def _catch_exit(program, argv):
    output = io.StringIO()
    search_path = list(sys.path)
    try:
        with mock.patch.object(sys, 'argv', argv), contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(output):
            program()
    except SystemExit as leaving:
        return leaving.code, output.getvalue()
    finally:
        sys.path[:] = search_path
    raise AssertionError('a command always exits with a status')
