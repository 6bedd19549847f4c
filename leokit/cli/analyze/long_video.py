"""Compare long-video strategies of a motion diffusion: do the motion codes drift, jitter, freeze or repeat?

    leokit analyze long-video lmdm_synthetic work_dirs/lmdm_synthetic --num-frames 1024 \\
        --strategies LastCode History:context_frames=4 Overlap:overlap=8 LastCode:pull=0.5
    leokit analyze long-video leo_synthetic/motion_diffusion --codes CODES --split val \\
        --strategies Overlap:overlap=8 CalibratedOverlap:gain=1.02 CalibratedOverlap:gain=1.04

The sequences start at codes of the training windows, or of --codes; every strategy gets the same starts and noise.
Prints jitter and dispersion of the first and last segment relative to real windows of that length, where 1 is
realistic, and the mean and the least dispersion of all segments.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int

STRATEGIES = ['LastCode', 'LastCode:pull=0.5', 'History:context_frames=4', 'History:context_frames=4,pull=0.5',
              'Overlap:overlap=8', 'Overlap:overlap=8,pull=0.5']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a motion diffusion', 'lmdm_synthetic')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--codes', role='to start from and to compare with', unset='the windows of the training')
    options.add(parser, '--split', role='of --codes', unset='all')
    parser.add_argument('--strategies', nargs='+', default=STRATEGIES, metavar='TYPE[:KEY=VALUE,...]',
                        help=f'long-video strategies and their options (default: {" ".join(STRATEGIES)})')
    options.add(parser, '--num-frames', default=1024)
    options.add(parser, '--num-sequences', role='per strategy', default=32)
    parser.add_argument('--segments', type=positive_int, metavar='N',
                        help='equal parts of the time axis (default: 8, or more if real videos are shorter)')
    options.add(parser, '--seed')
    options.add_out(parser, 'json')
    options.add(parser, '--device', '--cfg-options')
    parser.accept_deprecated({'--rules': '--strategies', '--frames': '--num-frames', '--sequences': '--num-sequences'})


def run(args: argparse.Namespace) -> None:
    """Generate with every strategy, measure, print."""
    import torch

    from leokit.analysis.long_video_comparison import HEAD, LongVideoComparison, parse_strategy, table_row
    from leokit.inference import load
    from leokit.inference.model_source import config_and_checkpoint
    from leokit.models import MotionDiffusion
    from leokit.utils import UserError
    from leokit.utils.files import write_json
    from leokit.utils.tables import markdown_table
    config, checkpoint = config_and_checkpoint(args.config, args.checkpoint, args.cfg_options)
    model = load(config, checkpoint, options.choose_device(args.device), expect=MotionDiffusion)
    if args.codes:
        dataset = dict(type='MotionCodeDataset', codes_dir=args.codes, filters=dict(split=args.split or None))
    elif config.get('train_dataloader'):
        dataset = config.train_dataloader.dataset
    else:
        raise UserError(f'the config {args.config} has no train_dataloader, whose windows the sequences start from; '
                        'pass the work dir or the config of a training, or a code cache by --codes')
    strategies = {text: parse_strategy(text, model.num_frames) for text in args.strategies}
    comparison = LongVideoComparison(model, dataset, num_frames=args.num_frames,
                                     num_sequences=args.num_sequences, segments=args.segments, seed=args.seed)
    print(f'{comparison.caption}\n\n{markdown_table(HEAD, [])}')
    results = {}
    for text, strategy in strategies.items():
        measured = comparison.measure(strategy)
        print(f'| {" | ".join(table_row(text, measured))} |', flush=True)  # one by one: each takes a while
        results[text] = {key: torch.as_tensor(value).tolist() for key, value in measured.items()}
    if args.out:
        write_json(args.out, results)
