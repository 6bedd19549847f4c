"""Show and measure that who is seen and how they move can be changed without each other.

    python tools/analysis_tools/disentangle.py CONFIG CHECKPOINT --people data/faces --motions data/faces \\
        --split test --out disentangled
    python tools/analysis_tools/disentangle.py CONFIG CHECKPOINT --people portraits/*.png --generated 6 \\
        --motion-config configs/leo/lmdm_synthetic.py --motion-checkpoint work_dirs/lmdm_synthetic --out disentangled

Renders every person in every motion: of driving videos, or drawn by a motion diffusion from the first person's
picture. Writes grid.png and grid.mp4 (people by motions), one_person.png, one_motion.png and result.json, and prints a
table; docs/editing.md says how to read it. --truth and --codes add a linear probe of the true parameters.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache  # noqa: E402
from leokit.datasets.synthetic import load_truth  # noqa: E402
from leokit.models import Animator  # noqa: E402
from leokit.pipelines import (  # noqa: E402
    TRANSFER_MODES, VideoGenerator, load_animator, load_motion_diffusion, write_videos)
from leokit.pipelines.code_probe import probe_codes, probe_table  # noqa: E402
from leokit.pipelines.crossing import Motions, People, cross, generate_motions, read_motions, read_people  # noqa: E402
from leokit.pipelines.crossing_sheets import crossing_sheet, crossing_video, motion_sheet, person_sheet  # noqa: E402
from leokit.pipelines.disentanglement import disentanglement_table, measure_disentanglement  # noqa: E402
from leokit.registry import FEATURE_EXTRACTORS  # noqa: E402
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, positive_int  # noqa: E402
from leokit.utils.errors import suggest  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402
from leokit.visualization import save_png  # noqa: E402

EXTRACTORS = ('FaceIdentity', 'ColorStatistics', 'EfficientNetLite0Features')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the animator's config")
    add('checkpoint', help="the animator's checkpoint, or its work dir")
    add('--people', nargs='+', required=True, metavar='PATH',
        help='pictures, a folder of pictures, or a folder or manifest of videos (first frames of different people)')
    motions = parser.add_mutually_exclusive_group(required=True)
    motions.add_argument('--motions', nargs='+', metavar='PATH', help='driving videos, a folder or a manifest of them')
    motions.add_argument('--generated', type=positive_int, metavar='N', help='draw N motions with a motion diffusion')
    add('--motion-config', metavar='FILE', help="the motion diffusion's config, for --generated")
    add('--motion-checkpoint', metavar='FILE', help="the motion diffusion's checkpoint, for --generated")
    add('--split', help='split of the videos of --people and --motions, such as test (default: all)')
    add('--num-people', type=positive_int, default=6, help='at most (default: %(default)s)')
    add('--num-motions', type=positive_int, default=6, help='driving videos at most (default: %(default)s)')
    add('--frames', type=positive_int, default=32, help='frames of each motion (default: %(default)s)')
    add('--mode', choices=TRANSFER_MODES, default='relative', help='as of animate.py (default: %(default)s)')
    add('--seed', type=int, default=0, help='of --generated (default: %(default)s)')
    add('--extractors', nargs='+', default=EXTRACTORS, metavar='TYPE',
        help=f'image features that say who is seen (default: {" ".join(EXTRACTORS)})')
    add('--truth', metavar='DIR', help='the synthetic data set whose true parameters --codes are held against')
    add('--codes', metavar='DIR', help='code cache of that data set (tools/extract_motion_codes.py)')
    add('--out', required=True, type=Path, metavar='DIR', help='folder of the grids and result.json')
    add_device(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    if bool(args.truth) != bool(args.codes):
        raise UserError('--truth and --codes go together: pass both or neither')
    if bool(args.generated) != bool(args.motion_config and args.motion_checkpoint):
        raise UserError('--generated, --motion-config and --motion-checkpoint go together: pass all or none')
    return args


def gather(args: argparse.Namespace, animator: Animator) -> tuple[People, Motions]:
    """The people and the motions of the command line."""
    people = read_people(args.people, animator.size, args.num_people, split=args.split)
    if args.motions:
        return people, read_motions(animator, args.motions, args.num_motions, args.frames, split=args.split,
                                    besides=people.names)
    generator = VideoGenerator(animator, load_motion_diffusion(args.motion_config, args.motion_checkpoint, args.device))
    return people, generate_motions(generator, people.images[0], args.generated, args.frames, seed=args.seed)


def build_extractors(kinds: list[str], device: str) -> list[Any]:
    """Feature extractors by name, on the device."""
    for kind in kinds:
        if FEATURE_EXTRACTORS.get(kind) is None:
            known = FEATURE_EXTRACTORS.module_dict
            raise UserError(f'there is no feature extractor {kind}{suggest(kind, known) or "; " + ", ".join(known)}')
    extractors = [FEATURE_EXTRACTORS.build(dict(type=kind)).to(device) for kind in kinds]
    for kind, extractor in zip(kinds, extractors):
        if extractor.kind != 'image':
            raise UserError(f'{kind} describes videos, and who is seen is asked of frames; pass an image extractor, '
                            f'such as {EXTRACTORS[0]}')
    return extractors


def main() -> None:
    """Read, render, measure, write."""
    args = parse_args()
    extractors = build_extractors(args.extractors, args.device)
    animator = load_animator(args.config, args.checkpoint, args.device, args.cfg_options)
    maker = dict(config=args.config, checkpoint=args.checkpoint, weights_hash=animator.weights_hash())
    probe = {}
    if args.codes:
        probe = dict(probe=probe_codes(CodeCache(args.codes, maker['weights_hash']), load_truth(args.truth)))
    crossing = cross(animator, *gather(args, animator), mode=args.mode)
    result = dict(animator=maker, **measure_disentanglement(crossing, extractors), **probe)
    print(disentanglement_table(result))
    if probe:
        print('\n' + probe_table(result['probe']))
    for name, sheet in (('grid', crossing_sheet), ('one_person', person_sheet), ('one_motion', motion_sheet)):
        save_png(args.out / f'{name}.png', sheet(crossing))
    write_videos(crossing_video(crossing), [args.out / 'grid.mp4'], crossing.motions.fps)
    write_json(args.out / 'result.json', result)
    print(f'\n{args.out}: grid.png, grid.mp4, one_person.png, one_motion.png, result.json')


if __name__ == '__main__':
    run_tool(main)
