"""Benchmark speed, memory and multiply-adds of both stages on random weights and inputs.

    leokit bench models --device cuda --amp --compile --channels-last
    leokit bench models --device cpu --size 64 --batch-size 8 --train-batch-size 4 --sections operators stage1

Every figure is the median of --repeats runs after a warm-up. The section "operators" times each fast operator and its
plain reference in turn and prints the ratio; with --compile both are compiled. Stage-2 training is then timed eager and
compiled; "stage2_training" is the loop of leokit train, with data, hooks and log. "backbones" compares the networks of
motion diffusion. "end_to_end" times reading, computing and writing of leokit animate and generate alone and together,
in the same run; "reading" the processor time of videos of 1920x1080; "live" a frame at a time, with and without CUDA
graphs; "preview" a moved slider of leokit app. "first_frame" starts leokit animate and waits for its first frame.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int

SECTIONS = ('stage1', 'training', 'stage2', 'stage2_training', 'backbones', 'start', 'operators', 'flops',
            'end_to_end', 'extraction', 'reading', 'live', 'preview', 'first_frame')
RENAMED_SECTIONS = {'twins': 'operators'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--device', '--amp', '--compile')
    add('--channels-last', action='store_true', help='use the channels-last memory layout')
    options.add(parser, '--size', default=256)
    options.add(parser, '--batch-size', role='frames when encoding and decoding', default=64)
    add('--train-batch-size', type=positive_int, default=32, metavar='N',
        help='image pairs per batch in stage-1 training (default: %(default)s)')
    options.add(parser, '--num-sequences', role='per batch in stage 2', default=64)
    options.add(parser, '--num-frames', role='codes per sequence in stage 2', default=20)
    add('--updates', nargs='+', choices=('auto', 'torch', 'fused'), default=('auto',),
        help='how stage-2 training updates the weights: as leokit train does by default, by PyTorch, or by the fused '
             'kernels that need a CUDA device; several are timed in turn (default: auto)')
    add('--end-to-end-frames', type=positive_int, default=512, metavar='N',
        help='frames read and written by the sections end_to_end and extraction (default: %(default)s)')
    add('--repeats', type=positive_int, default=10, metavar='N', help='timed runs (default: %(default)s)')
    add('--warmup', type=positive_int, default=3, metavar='N', help='runs before them (default: %(default)s)')
    add('--sections', nargs='+', type=lambda name: RENAMED_SECTIONS.get(name, name), choices=SECTIONS, default=SECTIONS,
        help='parts of the benchmark to run (default: all)')
    options.add(parser, '--animator-config', default='lia_celebv_256')
    options.add(parser, '--motion-diffusion-config', default='lmdm_celebv')
    for model, name in dict(code='starting codes', frame='starting frames').items():
        add(f'--start-{model}-config', default=f'start_{model}_celebv', metavar='CONFIG',
            help=f'config of the {name} (default: %(default)s)')
    options.add_out(parser, 'json')
    add('--dtype', choices=('fp32', 'bf16'), help=argparse.SUPPRESS)  # before --amp
    parser.accept_deprecated({
        '--batch': '--batch-size', '--train-batch': '--train-batch-size', '--sequences': '--num-sequences',
        '--frames': '--num-frames', '--only': '--sections', '--lmdm-config': '--motion-diffusion-config'})


def run(args: argparse.Namespace) -> None:
    """Run the chosen sections, print and write the results."""
    from dataclasses import asdict, fields

    import torch

    from leokit.benchmark import speed
    from leokit.deprecation import warn_renamed
    from leokit.utils.files import write_json
    if args.dtype:
        warn_renamed('option', f'--dtype {args.dtype}', '--amp' if args.dtype == 'bf16' else '')
        args.amp = args.dtype == 'bf16'
    args.device = options.choose_device(args.device)
    torch.set_float32_matmul_precision('high')
    settings = speed.SpeedOptions(**{field.name: getattr(args, field.name) for field in fields(speed.SpeedOptions)})
    bench = speed.SpeedBench(settings)
    name = torch.cuda.get_device_name(bench.device) if bench.device.type == 'cuda' else 'CPU'
    print(f'{name}, torch {torch.__version__}, {"bf16" if settings.amp else "fp32"}, compile={settings.compile}, '
          f'channels_last={settings.channels_last}, median of {settings.repeats}')
    for section in args.sections:
        speed.SECTIONS[section](bench)
    if args.out:
        write_json(args.out, dict(device=name, torch=torch.__version__, arguments=asdict(settings), rows=bench.rows))
