"""Running a tool within the test's own process."""

import contextlib
import io
import runpy
import sys
from pathlib import Path
from unittest import mock

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def call_tool(name, *arguments):
    """Run ``tools/<name>.py`` as a script.

    Args:
        name (str): The tool.
        *arguments: Its arguments.

    Returns:
        tuple[int, str]: Exit status and what it said.
    """
    said = io.StringIO()
    path = list(sys.path)
    try:
        with mock.patch.object(sys, 'argv', [name, *map(str, arguments)]), contextlib.redirect_stdout(said), \
                contextlib.redirect_stderr(said):
            runpy.run_path(str(TOOLS / f'{name}.py'), run_name='__main__')
    except SystemExit as leaving:
        return leaving.code, said.getvalue()
    finally:
        sys.path[:] = path
    raise AssertionError('a tool always leaves with a status')
