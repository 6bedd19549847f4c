"""Convert a checkpoint of the reference LIA to leokit's format, or a leokit animator to that of LIA.

    leokit convert vox.pt --out animator.pth
    leokit convert animator.pth --out vox_again.pt

The direction follows from the content of the input: the public LIA files keep their weights under ``gen``.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint of LIA (vox.pt, ...) or of leokit')
    options.add_out(parser, 'file', role='the converted checkpoint', required=True)
    parser.accept_deprecated({}, positionals=['--out'])


def run(args: argparse.Namespace) -> None:
    """Convert and print a summary."""
    from leokit.models import convert_checkpoint
    print(convert_checkpoint(args.checkpoint, args.out))
