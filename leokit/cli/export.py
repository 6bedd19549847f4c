"""Export trained models to ONNX or torch.export, to run them without leokit.

    leokit export leo_synthetic --out exported
    leokit export lia_celebv_256 work_dirs/lia_celebv_256 --format torch --out exported

Writes the encoder and decoder of an animator and the denoiser of a motion diffusion, one file each, and export.json,
which describes inputs and outputs. The outputs of every file are compared with those of the model (docs/weights.md).
"""

import argparse

from leokit.cli import options

FORMATS = ('onnx', 'torch')
PARTS = ('encoder', 'decoder', 'denoiser')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator, a motion diffusion or LEO', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--format', choices=FORMATS, default='onnx')
    parser.add_argument('--parts', nargs='+', choices=PARTS, metavar='PART',
                        help=f'what to export, of {", ".join(PARTS)} (default: what the model has)')
    options.add_out(parser, 'folder', required=True)
    options.add(parser, '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Load, export, print a summary."""
    from leokit.inference import is_leo_config, load
    from leokit.inference.export import export_models
    from leokit.utils import UserError, load_config
    from leokit.utils.files import local_path
    model = load(args.config, args.checkpoint, 'cpu', args.cfg_options)
    if not args.checkpoint and getattr(model, 'checkpoint', 0) is None and not is_leo_config(load_config(args.config)):
        raise UserError(f'{args.config} builds a model, so its checkpoint is needed; pass it, or its work dir')
    for part in export_models(model, local_path(args.out), file_format=args.format, parts=args.parts, progress=True):
        size = part.file.stat().st_size / 10**6
        print(f'{part.file}: {size:.1f} MB, outputs differ by at most {part.max_difference:.2g}')
