"""Draw a contact sheet of what the models produce, as one PNG.

    leokit analyze contact-sheet lia_synthetic_64 work_dirs/lia_synthetic_64 --source a.png b.png --driving talk.mp4 \\
        --videos samples --out sheet.png

From top to bottom: pairs of the config's data (source, driving, reconstruction, flow as color, mask), source images
animated by a driving video, and frames of generated videos.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator', 'lia_celebv_256')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--split', role='a dataloader of the config', metavar=None,
                choices=('val', 'test'), default='test')
    parser.add_argument('--rows', type=positive_int, default=6, metavar='N',
                        help='pairs to show (default: %(default)s)')
    parser.add_argument('--order', choices=('even', 'worst'), default='even',
                        help='which pairs: evenly spaced over the data, or those with the largest error '
                             '(default: %(default)s)')
    options.add(parser, '--source', nargs='+', default=[])
    options.add(parser, '--driving')
    options.add(parser, '--videos', nargs='+', default=[])
    options.add_out(parser, 'png', required=True)
    options.add(parser, '--device', '--cfg-options')
    parser.accept_deprecated({'--data': '--split', '--pictures': '--source', '--generated': '--videos'})


def run(args: argparse.Namespace) -> None:
    """Render and write the sheet."""
    from leokit.analysis.model_sheets import pair_sheet, stack_sheets, transfer_sheet, video_sheet
    from leokit.inference import load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.models import Animator
    from leokit.registry import DATASETS
    from leokit.utils import UserError
    from leokit.visualization import save_png
    if bool(args.source) != bool(args.driving):
        raise UserError('--source and --driving go together: pass both or neither')
    config, checkpoint = config_and_checkpoint(args.config, args.checkpoint, args.cfg_options)
    loader = config.get(f'{args.split}_dataloader')
    if not loader:
        raise UserError(f'the config {args.config} has no {args.split}_dataloader; pass another --split')
    animator = load(config, checkpoint, options.choose_device(args.device), expect=Animator)
    sheets = [pair_sheet(animator, DATASETS.build(loader.dataset), args.rows, order=args.order)]
    if args.source and args.driving:
        sheets.append(transfer_sheet(animator, args.source, args.driving))
    sheets += [video_sheet(folder) for folder in args.videos]
    save_png(args.out, stack_sheets(sheets))
    print(f'wrote {args.out}')
