"""Compare how a motion diffusion may go on in long videos, in code space: does it drift, stutter, freeze, loop?

    python tools/analysis_tools/compare_continuations.py configs/leo/lmdm_synthetic.py work_dirs/lmdm_synthetic \\
        --frames 1024 --rules LastCode History:context_frames=4 Overlap:overlap=8 LastCode:pull=0.5

Sequences start at codes of the training windows, spaced evenly; every rule gets the same starts and noise. A rule is a
type and its options. jitter and dispersion are those of a segment over those of real windows of its length; 1 is right.
"""

import argparse
import ast
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parents[2]))  # a clone works without installing; what is installed wins

from leokit.long_video import LongVideoStrategy  # noqa: E402
from leokit.datasets import MotionCodeDataset  # noqa: E402
from leokit.metrics import dispersion, jitter, long_motion  # noqa: E402
from leokit.metrics.motion_statistics import JERK_ORDER  # noqa: E402
from leokit.models import MotionDiffusion  # noqa: E402
from leokit.inference import load_motion_diffusion, sample_seeds  # noqa: E402
from leokit.registry import LONG_VIDEO, DATASETS  # noqa: E402
from leokit.samplers import generators_from_seeds  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, add_device, output_file, positive_int  # noqa: E402
from leokit.utils.files import clear_write_errors, write_bytes  # noqa: E402

SEGMENTS = 8
REAL_WINDOWS = 256
RULES = ['LastCode', 'LastCode:pull=0.5', 'History:context_frames=4', 'History:context_frames=4,pull=0.5',
         'Overlap:overlap=8', 'Overlap:overlap=8,pull=0.5']


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('config', help="the motion diffusion's config")
    add('checkpoint', help="the motion diffusion's checkpoint or work dir")
    add('--rules', nargs='+', default=RULES, metavar='TYPE[:KEY=VALUE,...]', help=f'default: {" ".join(RULES)}')
    add('--frames', type=positive_int, default=1024, help='default: %(default)s')
    add('--sequences', type=positive_int, default=32, help='default: %(default)s')
    add('--segments', type=positive_int,
        help=f'parts of the time axis (default: {SEGMENTS}, or more where real videos are shorter than a part)')
    add('--seed', type=int, default=0, help='default: %(default)s')
    add('--out', type=output_file, metavar='FILE.json', help='write all figures there')
    add_device(parser)
    add_cfg_options(parser)
    return parser.parse_args()


def _value(text: str) -> int | float | str:
    """A number where it is one, else a word such as ``linear``."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        if text.isidentifier():
            return text
        raise


def build_rule(text: str, num_frames: int) -> LongVideoStrategy:
    """What ``History:context_frames=4`` stands for."""
    name, _, options = text.partition(':')
    try:
        pairs = [option.split('=') for option in options.split(',') if option]
        rule = LONG_VIDEO.build(dict(type=name, **{key: _value(value) for key, value in pairs}))
    except UserError:
        raise
    except (ValueError, SyntaxError) as error:
        raise UserError(f'the rule {text!r} is not of the form TYPE:KEY=VALUE,KEY=VALUE') from error
    except (KeyError, TypeError) as error:
        raise UserError(f'the rule {text!r} is none: there is no such type or option; the types are '
                        f'{", ".join(LONG_VIDEO.module_dict)}, their options context_frames or overlap, pull and '
                        'bound') from error
    fewest = 1 + JERK_ORDER * (2 if rule.pending_frames else 1)
    if num_frames - rule.context_frames < fewest:
        raise UserError(f'the rule {text!r} leaves {num_frames - rule.context_frames} new codes to a window of '
                        f'{num_frames}, too few to tell a seam from the rest; lower its context_frames or overlap to '
                        f'{num_frames - fewest} or less')
    return rule


def codes_of(config: Config, num_frames: int) -> MotionCodeDataset:
    """The training data in windows of another length."""
    return DATASETS.build({**config.train_dataloader.dataset, 'num_frames': num_frames})


def spread_out(dataset: MotionCodeDataset, count: int) -> Tensor:
    """Windows (count, T, N) from all over the data."""
    places = torch.linspace(0, len(dataset) - 1, count).long().tolist()
    return torch.stack([item['inputs']['motion'] for item in dataset.__getitems__(places)])


def measure(model: MotionDiffusion, start: Tensor, rule: LongVideoStrategy, args: argparse.Namespace) -> dict[str, Any]:
    """Statistics of one rule, and the seconds it took."""
    generators = generators_from_seeds(sample_seeds(args.seed, range(len(start))))
    begun = time.perf_counter()
    chunks = [chunk.cpu() for chunk in model.extend(start, args.frames, generator=generators, long_video=rule)]
    seconds = time.perf_counter() - begun
    seams = model.window_boundaries(args.frames, long_video=rule)
    return dict(long_motion(torch.cat(chunks, dim=1), seams, args.segments), seconds=seconds)


def main() -> None:
    """Generate by every rule, measure, print."""
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    model = load_motion_diffusion(config, args.checkpoint, args.device)
    rules = {text: build_rule(text, model.num_frames) for text in args.rules}
    single = codes_of(config, 1)
    if args.segments is None:  # not longer than the longest real video: the dispersion of codes depends on the time
        args.segments = max(SEGMENTS, -(-args.frames // max(video.length for video in single.videos)))
    if args.frames <= 2 * model.num_frames or args.frames < 4 * args.segments or args.segments < 2:
        raise UserError(f'--frames {args.frames} must be more than two windows of {model.num_frames} and hold 2 or '
                        'more segments of at least 4 frames')
    start = spread_out(single, args.sequences)[:, 0]
    windows = codes_of(config, args.frames // args.segments)
    real = spread_out(windows, min(REAL_WINDOWS, len(windows)))
    unit = dict(jitter=jitter(real).mean(), dispersion=dispersion(real, 1).mean())
    print(f'{args.sequences} sequences of {args.frames} frames, {args.segments} segments; first and last segment, real '
          f'windows of {real.shape[1]} frames = 1, drift in units of their dispersion')
    head = ['rule', 'seam jerk', 'jitter', 'dispersion', 'drift, last', 'drift, greatest', 'recurrence', 's']
    print('| ' + ' | '.join(head) + ' |\n|---' + '|---:' * (len(head) - 1) + '|')
    figures = {}
    for text, rule in rules.items():
        found = measure(model, start.to(args.device), rule, args)
        relative = {key: found[key] / unit[key] for key in unit}
        course = found['drift'] / unit['dispersion']
        cells = [f'{found["boundary_jerk_ratio"]:.2f}',
                 *(f'{relative[key][0]:.2f} → {relative[key][-1]:.2f}' for key in ('jitter', 'dispersion')),
                 f'{course[-1]:.2f}', f'{course.max():.2f}', f'{found["recurrence"]:.2f}', f'{found["seconds"]:.1f}']
        print(f'| {text} | ' + ' | '.join(cells) + ' |', flush=True)
        figures[text] = {key: torch.as_tensor(value).tolist() for key, value in {**found, **relative}.items()}
    if args.out:
        with clear_write_errors(args.out):
            write_bytes(args.out, (json.dumps(figures, indent=1) + '\n').encode())


if __name__ == '__main__':
    run_tool(main)
