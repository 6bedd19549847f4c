"""Compare motion transfer and first-frame edits with the true frames, on SyntheticFaces.

    leokit synthetic-faces --out data/people --num-identities 64 --clips-per-identity 1 --size 128 --seed 1 --truth-only
    leokit analyze transfer leo_synthetic --ground-truth data/people

The renderer shows any face in any motion, so what a perfect animator would do is known: when a video drives another
identity, and when its first frame is edited and its own motion carries the edit on. Prints the error, that of
repeating the source, their ratio, and how much of the other appearance is kept in all frames and in the last quarter;
± is the jackknife error over identities. Use faces of another seed than those of the training.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'an animator or of LEO', 'lia_synthetic_128')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--ground-truth', required=True)
    parser.add_argument('--num-videos', type=positive_int, default=64, metavar='N',
                        help='maximum number of driving videos, one per identity (default: %(default)s)')
    options.add(parser, '--num-frames', default=32)
    options.add(parser, '--mode')
    options.add_out(parser, 'json')
    options.add(parser, '--device', '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Render, animate, compare."""
    from leokit.analysis import measure_transfer, transfer_table
    from leokit.inference import load
    from leokit.models import Animator
    from leokit.synthetic_faces import load_truth
    from leokit.utils.files import write_json
    truth = load_truth(args.ground_truth)
    animator = load(args.config, args.checkpoint, options.choose_device(args.device), args.cfg_options, expect=Animator)
    result = measure_transfer(animator, truth, num_videos=args.num_videos, num_frames=args.num_frames, mode=args.mode)
    print(transfer_table(result))
    if args.out:
        write_json(args.out, result)
