"""Show and measure that who is seen and how they move can be changed without each other.

    python tools/analysis_tools/disentangle.py CONFIG CHECKPOINT --people data/faces --motions data/faces \\
        --split test --out disentangled
    python tools/analysis_tools/disentangle.py CONFIG CHECKPOINT --people portraits/*.png --generated 6 \\
        --motion-config configs/leo/lmdm_synthetic.py --motion-checkpoint work_dirs/lmdm_synthetic --out disentangled
    python tools/analysis_tools/disentangle.py configs/leo/leo_synthetic.py --people portraits --generated 6 \\
        --out disentangled

CONFIG and CHECKPOINT are the animator's; a config that names all trained models of LEO needs no checkpoint. Every
person is rendered in every motion: of driving videos, or drawn by a motion diffusion from the first person's picture.
Writes grid.png and grid.mp4 (people by motions), one_person.png, one_motion.png and result.json, and prints a table;
docs/editing.md says how to read it. --truth and --codes add a linear probe of the true parameters.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.datasets import CodeCache  # noqa: E402
from leokit.synthetic_faces import load_truth  # noqa: E402
from leokit.feature_extractors import build_extractor  # noqa: E402
from leokit.analysis import (
    IdentityBatch, MotionBatch, build_factor_grid, disentanglement_table, factor_grid_sheet, factor_grid_video,
    generate_motions, identity_sheet, measure_disentanglement, motion_sheet, probe_codes, probe_factor_grid,
    probe_table, read_identities, read_motions)
from leokit.inference import LEO, TRANSFER_MODES, load_animator, load_motion_diffusion, write_videos
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, positive_int  # noqa: E402
from leokit.utils.config import read_config  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402
from leokit.visualization import save_png  # noqa: E402

EXTRACTORS = ('FaceIdentity', 'ColorStatistics', 'EfficientNetLite0Features')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the animator's config, or one that names all models")
    add('checkpoint', nargs='?', help="the animator's checkpoint, or its work dir")
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
    motion = (args.motion_config, args.motion_checkpoint)
    if args.checkpoint and any((*motion, args.generated)) and not all((*motion, args.generated)):
        raise UserError('--generated, --motion-config and --motion-checkpoint go together: pass all or none')
    if not args.checkpoint and any(motion):
        raise UserError("--motion-config and --motion-checkpoint stand beside an animator; pass the animator's "
                        'checkpoint after its config')
    return args


def load_models(args: argparse.Namespace) -> LEO:
    """The animator and, if motions are to be generated, the motion diffusion."""
    if args.checkpoint is None:
        unused = ('start_code', 'start_frame', 'start_frame_sr', *(() if args.generated else ('motion_diffusion', )))
        config = read_config(args.config, args.cfg_options)
        config.update(dict.fromkeys(unused))
        return LEO.from_config(config, args.device)
    animator = load_animator(args.config, args.checkpoint, args.device, args.cfg_options)
    return LEO(animator, load_motion_diffusion(args.motion_config, args.motion_checkpoint, args.device)
               if args.generated else None)


def gather(args: argparse.Namespace, leo: LEO) -> tuple[IdentityBatch, MotionBatch]:
    """The people and the motions of the command line."""
    people = read_identities(args.people, leo.animator.size, args.num_people, split=args.split)
    if args.motions:
        return people, read_motions(leo.animator, args.motions, args.num_motions, args.frames, split=args.split,
                                    exclude=people.names)
    return people, generate_motions(leo.generator, people.images[0], args.generated, args.frames, seed=args.seed)


def build_extractors(kinds: list[str], device: str) -> list[Any]:
    """Feature extractors by name, on the device."""
    extractors = [build_extractor(kind).to(device) for kind in kinds]
    for kind, extractor in zip(kinds, extractors):
        if extractor.kind != 'image':
            raise UserError(f'{kind} describes videos, and who is seen is asked of frames; pass an image extractor, '
                            f'such as {EXTRACTORS[0]}')
    return extractors


def main() -> None:
    """Read, render, measure, write."""
    args = parse_args()
    extractors = build_extractors(args.extractors, args.device)
    leo = load_models(args)
    maker = dict(config=args.config, checkpoint=args.checkpoint, weights_hash=leo.animator.weights_hash())
    known = (CodeCache(args.codes, maker['weights_hash']), load_truth(args.truth)) if args.codes else None
    probe = probe_codes(*known) if known else None
    grid = build_factor_grid(leo.animator, *gather(args, leo), mode=args.mode)
    result = dict(animator=maker, **measure_disentanglement(grid, extractors))
    print(disentanglement_table(result))
    if known:
        result['probe'] = dict(probe, rendered=probe_factor_grid(grid, *known))
        print('\n' + probe_table(result['probe']))
    for name, sheet in (('grid', factor_grid_sheet), ('one_person', identity_sheet), ('one_motion', motion_sheet)):
        save_png(args.out / f'{name}.png', sheet(grid))
    write_videos(factor_grid_video(grid), [args.out / 'grid.mp4'], grid.motions.fps)
    write_json(args.out / 'result.json', result)
    print(f'\n{args.out}: grid.png, grid.mp4, one_person.png, one_motion.png, result.json')


if __name__ == '__main__':
    run_tool(main)
