"""Convert weights of LIA, FLOAT or LIA-X to leokit's format, or a leokit animator to that of LIA or LIA-X.

    leokit convert vox.pt --config lia_vox_256 --out lia_vox.pth
    leokit convert float.pth --out lia_float.pth
    leokit convert lia-x.pt --out lia_x.pth
    leokit convert animator.pth --out vox_again.pt

The direction follows from the content of the input. The generator is found in files of trainers, which also hold
discriminators and optimizers, in wrapped and in larger models; the command says what it found and what it left out.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('checkpoint', metavar='CHECKPOINT',
                        help='weights of LIA, FLOAT or LIA-X (vox.pt, ...), or a checkpoint of leokit')
    parser.add_argument('--config', metavar='CONFIG',
                        help='config whose crops and transfer mode the checkpoint carries, e.g. lia_vox_256 '
                             '(default: lia_float_512 and lia_x_512 for these two)')
    options.add_out(parser, 'file', role='the converted checkpoint', required=True)
    parser.accept_deprecated({}, positionals=['--out'])


def run(args: argparse.Namespace) -> None:
    """Convert and print a summary."""
    from leokit.models import convert_checkpoint
    print(convert_checkpoint(args.checkpoint, args.out, config=args.config))
