"""No command writes a file over one that it reads: the input would be lost, without a word."""

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from leokit.cli.argument_types import npz_file, output_file, output_image, output_video, png_file

OUTPUT_TYPES = (output_file, output_video, output_image, png_file, npz_file)
MANIFEST_NAMES = ('manifest.json', 'manifest.jsonl', 'manifest.csv')  # read with the folder of a dataset


def find_own_input(actions: Iterable[argparse.Action], namespace: argparse.Namespace) -> str | None:
    """A sentence about an output that is an input of the same command line, or None.

    Commands with ``--overwrite`` are left out: they refuse an existing file themselves, and replace it when asked to.

    Args:
        actions (Iterable[Action]): The command's arguments. Those with a type of :data:`OUTPUT_TYPES` are outputs.
        namespace (Namespace): Their values.
    """
    if hasattr(namespace, 'overwrite'):
        return None
    values = {action: getattr(namespace, action.dest, None) for action in actions}
    outputs = {action: value for action, value in values.items() if action.type in OUTPUT_TYPES and value is not None}
    inputs = [(action, path) for action, value in values.items() if action not in outputs for path in _paths(value)]
    for action, output in outputs.items():
        for reader, path in inputs:
            if _is_same(output, path) or (output.name in MANIFEST_NAMES and _is_same(output.parent, path)):
                return f'{_name(action)} {output} would replace an input ({_name(reader)} {path}); name another file'
    return None


def _paths(value: Any) -> Iterator[str]:
    """The texts in a value that can be names of files: alone, in lists and tuples, as values of ``KEY=VALUE``."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _paths(item)
    elif isinstance(value, (str, Path)) and str(value):
        yield os.path.expanduser(value)


def _is_same(first: str | Path, second: str | Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except (OSError, ValueError):  # one does not exist; or is no path at all
        return False


def _name(action: argparse.Action) -> str:
    return action.option_strings[0] if action.option_strings else action.metavar or action.dest
