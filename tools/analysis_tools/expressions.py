"""Do mouths and eyes follow? Transfer between frames of a video whose pose agrees and whose expression does not.

    python tools/analysis_tools/expressions.py configs/lia/lia_few_faces_128.py work_dirs/lia_few_faces_128 \\
        --data val --sheet expressions.png
    python tools/analysis_tools/expressions.py configs/lia/lia_synthetic_64.py work_dirs/lia_synthetic_64 \\
        --data test --truth data/synthetic_faces --sheet expressions.png

Landmarks (dlib's; pip install "leokit[identity]") choose the pairs in the videos of the config's data. For mouths and
for eyes: driven, the part of the true change that the driving code makes in the picture (0 nothing, 1 all of it); and
ratio_l1, by how much the error is smaller than that of copying the source. The sheet shows of every video the mouth
that opens and the eyes that close most. With --truth the people of SyntheticFaces are drawn anew instead, in pairs
between which only the mouth, the smile, the eyelids, the brows or the gaze changes.
"""

import argparse
import sys
from pathlib import Path

from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.synthetic_faces import load_truth  # noqa: E402
from leokit.feature_extractors import build_extractor  # noqa: E402
from leokit.feature_extractors.face_landmarks import NUM_LANDMARKS  # noqa: E402
from leokit.analysis import SyntheticPairs, LandmarkPairs, measure_expressions  # noqa: E402
from leokit.inference import load_animator  # noqa: E402
from leokit.registry import DATASETS  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, output_file, png_file, positive_int  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402
from leokit.visualization import save_png  # noqa: E402


def build_landmarks(kind: str) -> nn.Module:
    """A feature extractor of 68 points.

    Raises:
        UserError: If there is none of that name, or it describes something else.
    """
    landmarks = build_extractor(kind)
    if landmarks.dim != 2 * NUM_LANDMARKS:
        raise UserError(f'{kind} gives no {NUM_LANDMARKS} landmarks; use FaceLandmarks')
    return landmarks


def main() -> None:
    """Read, transfer, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="the animator's config")
    parser.add_argument('checkpoint', help="the animator's checkpoint, or its work dir")
    parser.add_argument('--data', choices=('train', 'val', 'test'), default='val', help='default: %(default)s')
    parser.add_argument('--pairs-per-video', type=positive_int, default=4, help='default: %(default)s')
    parser.add_argument('--landmarks', default='FaceLandmarks', metavar='EXTRACTOR',
                        help='feature extractor of 68 points (default: %(default)s)')
    parser.add_argument('--truth', metavar='DIR', help='the synthetic data set that the config reads')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the figures there')
    parser.add_argument('--sheet', type=png_file, metavar='FILE.png', help='draw the pairs there')
    add_device(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    config = load_config(args.config, args.cfg_options)
    loader = config.get(f'{args.data}_dataloader')
    if not loader:
        raise UserError(f'the config {args.config} has no {args.data}_dataloader; pass another --data')
    find = (SyntheticPairs(load_truth(args.truth), args.pairs_per_video) if args.truth
            else LandmarkPairs(build_landmarks(args.landmarks), args.pairs_per_video))
    animator = load_animator(config, args.checkpoint, args.device)
    report = measure_expressions(animator, DATASETS.build(loader.dataset), find)
    print(report.table())
    if args.out:
        write_json(args.out, report.values())
    if args.sheet:
        save_png(args.sheet, report.sheet())


if __name__ == '__main__':
    run_tool(main)
