"""Hold the motion codes of SyntheticFaces against the true parameters.

    python tools/analysis_tools/probe_motion_codes.py --codes data/synthetic_faces_codes --truth data/synthetic_faces
    python tools/analysis_tools/probe_motion_codes.py --codes data/synthetic_faces_codes --truth data/synthetic_faces \\
        --name-directions work_dirs/lia_synthetic_64/directions.json

Prints R² of a linear map from codes to every motion parameter and to the parameters of identity, fitted on the
training people and scored on the test people. Good codes read motion and nothing of who it is. --name-directions also
prints what each direction moves, and writes a file beside the checkpoint by which tools/manipulate.py knows the
directions of yaw, smile and so on, in standard deviations.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache  # noqa: E402
from leokit.synthetic_faces import load_truth  # noqa: E402
from leokit.analysis import direction_table, name_directions, probe_codes, probe_table  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402


def main() -> None:
    """Read, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--codes', required=True, metavar='DIR', help='a code cache')
    parser.add_argument('--truth', required=True, metavar='DIR', help='the synthetic data set')
    parser.add_argument('--fit', default='train', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--score', default='test', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--out', metavar='FILE', help='write the figures to this JSON file')
    parser.add_argument('--name-directions', type=Path, metavar='FILE',
                        help='directions.json beside the checkpoint; an existing file is not replaced')
    args = parser.parse_args()
    if args.name_directions and args.name_directions.exists():
        raise UserError(f'{args.name_directions} exists and may hold names of your own; move it away first')
    truth, cache = load_truth(args.truth), CodeCache(args.codes)
    result = probe_codes(cache, truth, fit=args.fit, score=args.score)
    print(probe_table(result))
    if args.out:
        write_json(args.out, result)
    if args.name_directions:
        print(direction_table(cache, truth, split=args.fit))
        names = name_directions(cache, truth, result, split=args.fit)
        write_json(args.name_directions, names)
        print(f'{args.name_directions}: {", ".join(names)}')


if __name__ == '__main__':
    run_tool(main)
