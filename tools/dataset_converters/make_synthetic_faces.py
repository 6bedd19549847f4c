"""Draw the embedded data set: people who nod and talk, as real videos, with the truth about every frame.

    python tools/dataset_converters/make_synthetic_faces.py data/synthetic_faces --identities 1000 --size 64

Interrupted, it goes on where it stopped when the same command is given again.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.synthetic_faces import SyntheticFacesPlan, write_synthetic_faces  # noqa: E402
from leokit.utils import run_tool  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    defaults = SyntheticFacesPlan()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='folder of the data set; give it to the configs as data_root')
    parser.add_argument('--identities', type=int, default=defaults.num_identities,
                        help='how many people (default: %(default)s)')
    parser.add_argument('--clips', type=int, default=defaults.clips_per_identity,
                        help='clips of each person (default: %(default)s)')
    parser.add_argument('--frames', type=int, default=defaults.num_frames,
                        help='frames of a clip (default: %(default)s)')
    parser.add_argument('--size', type=int, default=defaults.size, help='side in pixels, even (default: %(default)s)')
    parser.add_argument('--fps', type=float, default=defaults.fps, help='frames a second (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=defaults.seed, help='default: %(default)s')
    parser.add_argument('--split', type=float, nargs=3, default=(defaults.train, defaults.val, defaults.test),
                        metavar=('TRAIN', 'VAL', 'TEST'), help='shares of the people (default: 0.9 0.05 0.05)')
    parser.add_argument('--workers', type=int, help='processes; 0 works in this one (default: one for each core)')
    return parser.parse_args()


def main() -> None:
    """Make the data set and say where it is."""
    args = parse_args()
    train, val, test = args.split
    plan = SyntheticFacesPlan(
        num_identities=args.identities, clips_per_identity=args.clips, num_frames=args.frames, size=args.size,
        seed=args.seed, fps=args.fps, train=train, val=val, test=test)
    manifest = write_synthetic_faces(args.out, plan, workers=args.workers)
    splits = plan.identity_splits()
    people = ', '.join(f'{name} {splits.count(name)}' for name in dict.fromkeys(sorted(splits)))
    print(f'{manifest}: {len(plan.clips())} clips of {plan.num_frames} frames, people: {people}')


if __name__ == '__main__':
    run_tool(main)
