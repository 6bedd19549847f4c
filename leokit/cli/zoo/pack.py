"""Pack trained models into a folder that holds their configs as data, their weights and a model card.

    leokit zoo pack --animator work_dirs/lia_synthetic_64 --motion-diffusion work_dirs/lmdm_synthetic \\
        --start-code work_dirs/start_code_synthetic --start-frame work_dirs/start_frame_synthetic --out leo_mine
    leokit zoo pack --animator work_dirs/lia_celebv_256 --out my_animator

The averaged weights are taken. They are stored in half precision where that changes the output by no more than
--tolerance; the change is printed. The folder is loaded by its path: leokit generate ./leo_mine --unconditional 4 ...
"""

import argparse
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import positive_float

PARTS = {'--animator': "the animator's work dir or checkpoint", '--motion-diffusion': "the motion diffusion's",
         '--start-code': "the starting-code model's", '--start-frame': "the starting-frame model's",
         '--start-frame-sr': "the super-resolution starting-frame model's"}
DTYPES = ('float16', 'bfloat16', 'float32')
MEGABYTE = 10**6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    for flag, role in PARTS.items():
        add(flag, metavar='CHECKPOINT', help=role)
    add('--name', metavar='NAME', help="name of the model in its card (default: that of the folder)")
    add('--dtype', choices=DTYPES, default='float16', help='precision of the weights (default: %(default)s)')
    add('--tolerance', type=positive_float, metavar='X',
        help='root mean square change of the output, in standard deviations of the output (default: 0.01)')
    add('--card', type=Path, metavar='FILE.md', help='the model card (default: one that lists the facts)')
    add('--directions', type=Path, metavar='FILE.json',
        help="names of directions of the motion space (default: directions.json next to the animator's checkpoint)")
    add('--benchmark', metavar='CONFIG', help='shipped config whose benchmark leokit test runs, e.g. leo_synthetic')
    options.add_out(parser, 'folder', required=True)
    add('--overwrite', action='store_true', help='replace the folder')


def run(args: argparse.Namespace) -> None:
    """Load, pack, print a summary."""
    from leokit.inference.packing import pack
    from leokit.utils import UserError
    if args.card and not args.card.is_file():
        raise UserError(f'the model card {args.card} does not exist; write it, or leave --card out')
    report = pack(load_parts(args), args.out, dtype=args.dtype, name=args.name, directions=args.directions,
                  card=args.card and args.card.read_text(encoding='utf-8'), benchmark=args.benchmark,
                  tolerance=args.tolerance, overwrite=args.overwrite)
    for part, rounding in report.roundings.items():
        kept = f', {len(rounding.kept)} more kept in float32' if rounding.kept else ''
        print(f'{part}: {rounding.rounded} of {len(rounding.state)} tensors in {args.dtype}{kept}; the output changes '
              f'by at most {rounding.max_difference:.2g}, '
              f'root mean square {rounding.relative:.2g} standard deviations')
    print(f'{report.folder}: {report.num_bytes / MEGABYTE:.1f} MB')


def load_parts(args: argparse.Namespace) -> object:
    """The named models: LEO, or a single one."""
    from leokit.inference import LEO, StartFrameSampler, load
    from leokit.inference.loading import LEO_PARTS
    from leokit.utils import UserError
    named = {part: getattr(args, part) for part in LEO_PARTS if getattr(args, part)}
    if not named:
        raise UserError(f'no model was named; pass {", ".join(PARTS)}, or some of them')
    models = {part: load(path, expect=LEO_PARTS[part]) for part, path in named.items()}
    if len(models) == 1:
        return next(iter(models.values()))
    if 'animator' not in models:
        raise UserError('several models are packed around their animator; pass --animator, or pack each alone')
    if 'start_frame_sr' in models and 'start_frame' not in models:
        raise UserError('--start-frame-sr enlarges the frames of --start-frame; pass both')
    frames, larger = models.get('start_frame'), models.get('start_frame_sr')
    return LEO(models['animator'], models.get('motion_diffusion'), start_code=models.get('start_code'),
               start_frame_sampler=frames and StartFrameSampler(frames, larger))
