"""How good is generated motion in few sampling steps? Models and samplers side by side.

    leokit analyze few-steps teacher=work_dirs/lmdm_synthetic_flow student=work_dirs/lmdm_progressive_4 \\
        --samplers DDIMSampler HeunSampler --steps 1 2 4 8 50 --out few_steps

A name may occur several times, with trainings under several seeds: errors are then standard errors over them, else
of the jackknife over sequences. All sample from the first codes of the same held-out windows with the same noise. The
output folder receives table.md, results.json and curve.png.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('models', nargs='+', metavar='NAME=MODEL',
        help='trained motion diffusions: a work dir, a checkpoint or a model folder, under a name for the report')
    add('--samplers', nargs='+', default=['DDIMSampler'], metavar='TYPE', help='samplers (default: DDIMSampler)')
    add('--steps', nargs='+', type=positive_int, default=[1, 2, 4, 8, 16, 50], metavar='N',
        help='numbers of sampling steps (default: 1 2 4 8 16 50)')
    add('--codes-dir', metavar='DIR', help='code cache (default: that of the first model\'s config)')
    options.add(parser, '--split', default='test')
    add('--num-windows', type=positive_int, default=4096, metavar='N',
        help='windows at most (default: %(default)s)')
    options.add(parser, '--num-frames', unset='that of the first model')
    options.add(parser, '--seed')
    options.add_out(parser, 'folder')
    options.add(parser, '--device')


def run(args: argparse.Namespace) -> None:
    """Measure all points, print and write the report."""
    from pathlib import Path

    from leokit.analysis.step_curve import MAIN, StepCurve, held_out_windows
    from leokit.inference import load
    from leokit.models import MotionDiffusion
    from leokit.utils import UserError
    from leokit.utils.files import clear_write_errors, write_bytes, write_json
    device, models = options.choose_device(args.device), {}
    for word in args.models:
        name, separator, path = word.partition('=')
        if not separator or not name or not path:
            raise UserError(f'{word!r} is not of the form NAME=MODEL, such as teacher=work_dirs/lmdm_synthetic')
        models.setdefault(name, []).append(load(path, device=device, expect=MotionDiffusion))
    first = next(iter(models.values()))[0]
    codes_dir = args.codes_dir or (first.cfg.get('train_dataloader') or {}).get('dataset', {}).get('codes_dir')
    if not codes_dir:
        raise UserError('the config of the first model names no code cache; pass --codes-dir')
    windows = held_out_windows(codes_dir, args.num_frames or first.num_frames, split=args.split,
                               limit=args.num_windows)
    curve = StepCurve(windows, seed=args.seed)
    for name, trainings in models.items():
        for sampler in args.samplers:
            for steps in args.steps:
                point = curve.measure(name, trainings, sampler, steps)
                print(f'{name}, {sampler}, {steps} steps: FD of residuals {point.mean(MAIN):.4g}', flush=True)
    name = next(iter(models))
    reference = curve.points[name, args.samplers[0], max(args.steps)]
    caption = f'{len(windows)} windows of {windows.shape[1]} frames of the split {args.split}.'
    table = f'{caption}\n\n{curve.table(reference)}\n'
    print(table)
    if args.out:
        folder = Path(args.out)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / 'results.json', dict(caption=caption, points=[
            point.record() for point in curve.points.values()]))
        with clear_write_errors(folder / 'table.md'):
            write_bytes(folder / 'table.md', table.encode())
        curve.plot(folder / 'curve.png')
