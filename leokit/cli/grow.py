"""Double the resolution of a trained LIA animator, to train it on from there.

    leokit grow work_dirs/lia_few_faces_128_mixed_regions --config lia_few_faces_256_mixed --share 1 \
        --out grown.pth
    leokit train lia_few_faces_256_mixed --cfg-options load_from=grown.pth
    leokit grow lia_vox.pth --config lia_vox_256 --cfg-options size=512 --out grown.pth

At first the grown animator renders what the trained one does, enlarged, and training adds the details. With --share 1
the new level warps the source itself, so the image is sharp at once: for animators that leokit has trained from the
identity initialization, not for LIA's own weights.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import fraction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument('animator', metavar='ANIMATOR',
                        help='work dir or checkpoint of the trained animator, or its name (leo_synthetic/animator)')
    parser.add_argument('--config', metavar='CONFIG', required=True,
                        help='config of the grown animator, with twice the size, e.g. lia_few_faces_256_mixed')
    parser.add_argument('--share', type=fraction, default=0.0, metavar='FRACTION',
                        help='share of the image that the new level renders from the warped source (default: 0)')
    options.add_out(parser, 'file', role='the checkpoint of the grown animator', required=True)
    options.add(parser, '--cfg-options')


def run(args: argparse.Namespace) -> None:
    """Load, grow, save, print a summary."""
    from leokit.inference.growing import grow_checkpoint
    print(grow_checkpoint(args.animator, args.config, args.out, share=args.share, cfg_options=args.cfg_options))
