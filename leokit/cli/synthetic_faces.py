"""Render SyntheticFaces: videos of procedural faces that nod and talk, with ground-truth parameters of every frame.

    leokit synthetic-faces --out data/synthetic_faces --num-identities 1000 --size 64

Run again after an interruption, it continues.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import non_negative_int, positive_int

# of SyntheticFacesPlan, which takes a second to import
STYLES = ('drawn', 'textured')
BEHAVIORS = ('nodding', 'talking', 'mixed')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_out(parser, 'folder', role='the data_root of configs', required=True)
    parser.add_argument('--num-identities', type=positive_int, default=1000, metavar='N',
                        help='number of identities (default: %(default)s)')
    parser.add_argument('--clips-per-identity', type=positive_int, default=5, metavar='N',
                        help='clips of each identity (default: %(default)s)')
    options.add(parser, '--num-frames', default=48)
    options.add(parser, '--size', role='even', default=64)
    parser.add_argument('--style', choices=STYLES, default=STYLES[0],
                        help='textured: skin, hair, light, proportions closer to photographs (default: %(default)s)')
    parser.add_argument('--behavior', choices=BEHAVIORS,
                        help='of all clips; mixed: nodding and talking (default: random)')
    options.add(parser, '--fps', default=25.0)
    options.add(parser, '--seed', '--split-fractions')
    options.add(parser, '--workers', role='processes; 0 renders in this one', type=non_negative_int,
                unset='one per CPU core')
    options.add(parser, '--device', role='that renders', default='cpu')
    parser.add_argument('--truth-only', action='store_true',
                        help='write the ground-truth parameters alone, without rendering videos')
    parser.accept_deprecated(
        {'--identities': '--num-identities', '--clips': '--clips-per-identity', '--frames': '--num-frames',
         '--split': '--split-fractions'}, positionals=['--out'])


def run(args: argparse.Namespace) -> None:
    """Write the dataset, or its truth, and print a summary."""
    from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces, write_synthetic_truth
    from leokit.video.splits import check_fractions
    check_fractions(args.split_fractions)
    train, val, test = args.split_fractions
    plan = SyntheticFacesPlan(
        num_identities=args.num_identities, clips_per_identity=args.clips_per_identity, num_frames=args.num_frames,
        size=args.size, seed=args.seed, fps=args.fps, train=train, val=val, test=test, style=args.style,
        behavior=args.behavior)
    if args.truth_only:
        written = write_synthetic_truth(args.out, plan)
    else:
        written = write_synthetic_faces(args.out, plan, workers=args.workers, device=args.device)
    splits = plan.identity_splits()
    identities = ', '.join(f'{splits.count(name)} {name}' for name in dict.fromkeys(sorted(splits)))
    print(f'{written}: {len(plan.clips())} clips of {plan.num_frames} frames; identities: {identities}')
