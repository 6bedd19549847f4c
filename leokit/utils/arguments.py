"""Command-line arguments that several tools share."""

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import DictAction


class _OptionsAction(DictAction):
    """MMEngine's ``key=value`` parser, with a sentence instead of a traceback for what is not of that form."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[Any],
                 option_string: str | None = None) -> None:
        for value in values:
            if '=' not in value:
                raise argparse.ArgumentError(self, f'{value!r} is not of the form key=value')
        super().__call__(parser, namespace, values, option_string)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options key=value ...``, read into ``args.cfg_options`` (a dict or None).

    Args:
        parser (ArgumentParser): The tool's parser.
    """
    add_key_values(parser, '--cfg-options', 'override parts of the config: dotted keys, e.g. data_root=/videos '
                                            'train_dataloader.batch_size=16 "steps=[1,2]"')


def add_key_values(parser: argparse.ArgumentParser, flag: str, explanation: str) -> None:
    """Add an option that takes ``key=value ...``, read into a dict, or None if it is not given.

    Args:
        parser (ArgumentParser): The tool's parser.
        flag (str): The option's name.
        explanation (str): Its help text.
    """
    parser.add_argument(flag, nargs='+', action=_OptionsAction, metavar='KEY=VALUE', help=explanation)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``, the first GPU by default if there is one.

    Args:
        parser (ArgumentParser): The tool's parser.
    """
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu',
                        help="where to compute: 'cpu', 'cuda', 'cuda:1', ... (default: %(default)s)")


def positive_int(text: str) -> int:
    """An argument that counts something: a whole number from 1 on."""
    number = int(text)  # argparse turns the ValueError into a sentence
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} must be 1 or more')
    return number


def positive_float(text: str) -> float:
    """An argument that measures something: a number above 0."""
    number = float(text)
    if not 0 < number < float('inf'):
        raise argparse.ArgumentTypeError(f'{text} must be above 0')
    return number


def finite_float(text: str) -> float:
    """An argument that may be any number but an infinite one."""
    number = float(text)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f'{text} must be a finite number')
    return number


def share(text: str) -> float:
    """An argument that is a part of a whole: a number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'{text} must be from 0 to 1')
    return number


def output_file(text: str) -> Path:
    """An argument that names a file to write, refused before the work where it cannot be written after it."""
    path = Path(text)
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f'{text!r} is a folder; name a file')
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(f'{text} cannot be written, because {there} '
                                         f'{"cannot be written to" if there.is_dir() else "is a file"}')
    return path


def png_file(text: str) -> Path:
    """An argument that names a PNG file to write."""
    path = output_file(text)
    if path.suffix.lower() != '.png':
        raise argparse.ArgumentTypeError(f'{text} must end in .png')
    return path
