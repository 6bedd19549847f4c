"""Does the motion that a motion diffusion generates nod and talk, as that of SyntheticFaces does?

    python tools/analysis_tools/action_statistics.py configs/leo/lmdm_synthetic.py work_dirs/lmdm_synthetic \\
        --codes data/synthetic_faces_codes --truth data/synthetic_faces

Generates from the first codes of the test people and reads the true parameters from the codes by a linear map, for
generated and for real clips alike. Prints how far and how fast each parameter moves, the share of clips that nod and
that talk, and what moves together.
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache  # noqa: E402
from leokit.synthetic_faces import load_truth  # noqa: E402
from leokit.analysis import action_table, measure_action_statistics  # noqa: E402
from leokit.inference import load_motion_diffusion  # noqa: E402
from leokit.utils import run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, output_file, positive_int  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402


def main() -> None:
    """Generate, read, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="the motion diffusion's config")
    parser.add_argument('checkpoint', help="the motion diffusion's checkpoint or work dir")
    parser.add_argument('--codes', required=True, metavar='DIR', help='the code cache that it was trained on')
    parser.add_argument('--truth', required=True, metavar='DIR', help='the synthetic data set')
    parser.add_argument('--frames', type=positive_int, help="frames of a clip (default: the model's window)")
    parser.add_argument('--fit', default='train', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--score', default='test', metavar='SPLIT', help='default: %(default)s')
    parser.add_argument('--seed', type=int, default=0, help='default: %(default)s')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write all figures there')
    add_device(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    model = load_motion_diffusion(args.config, args.checkpoint, args.device, args.cfg_options)
    cache = CodeCache(args.codes, model.animator_weights_hash)
    result = measure_action_statistics(model, cache, load_truth(args.truth), num_frames=args.frames, fit=args.fit,
                               score=args.score, seed=args.seed)
    print(action_table(result))
    if args.out:
        write_json(args.out, result)


if __name__ == '__main__':
    run_tool(main)
