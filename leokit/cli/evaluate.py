"""Evaluate a folder of generated videos, of any origin, against real ones.

    leokit evaluate --real videos/test --fake samples --metrics fvd kvd acd --protocol digan --out results.json
    leokit evaluate --real videos/test --fake samples --extractor EfficientNetLite0Features
    torchrun --nproc-per-node 4 -m leokit evaluate --real manifest.json --split test --fake samples ...

Videos may be files (mp4, gif, ...), folders of images or NumPy arrays, of any size and frame rate. docs/evaluation.md
explains metrics, protocols and pitfalls.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import frame_rate

if TYPE_CHECKING:
    from leokit.evaluation import Protocol, ResultRecord

METRICS = ('fvd', 'kvd', 'fid', 'fvd_over_time', 'kvd_over_time', 'acd', 'acd_over_time', 'content_drift', 'jitter')
PROTOCOL_FOLDER = Path(__file__).resolve().parents[1] / 'evaluation' / 'protocols'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    presets = ', '.join(sorted(path.stem for path in PROTOCOL_FOLDER.glob('*.py')))
    add('--real', required=True, metavar='DIR', help='folder of real videos, or a manifest (.json)')
    add('--fake', required=True, metavar='DIR', help='folder of generated videos, or a manifest (.json)')
    add('--metrics', nargs='+', default=['fvd', 'kvd'], metavar='METRIC',
        help=f'any of {", ".join(METRICS)} (default: fvd kvd)')
    add('--protocol', default='quick', metavar='NAME',
        help=f'protocol: one of {presets}, or a config file (default: %(default)s)')
    options.add_key_values(parser, '--protocol-options',
                           'changes to the protocol, e.g. sampling.num_clips=512 clips.stride=4')
    options.add(parser, '--split', role='of the real set', unset="the protocol's, if the set has splits")
    options.add_key_values(parser, '--real-filters',
                           'filters of the real set, as in training configs, e.g. category=face segment=0.8,1')
    options.add(parser, '--extractor', nargs='+', default=[], metavar='[METRIC=]TYPE',
                role='of the video distances, or of one metric, as in acd=ColorStatistics', unset="the protocol's")
    options.add_key_values(parser, '--extractor-options',
                           'arguments of an extractor, e.g. I3D.weights=/path/i3d_pretrained_400.pt')
    add('--allow-fewer', action='store_true', help='accept fewer clips than the protocol requires')
    add('--input-fps', type=frame_rate, metavar='FPS',
        help='frame rate of frame folders and arrays, for protocols that resample')
    add('--float-range', metavar='LOW:HIGH', help='range of floating-point arrays: --float-range=-1:1, 0:1 or 0:255')
    options.add_out(parser, 'json')
    add('--model', metavar='NAME', help='name of the generator, for tables (default: the name of --fake)')
    add('--step', type=int, metavar='N', help='training iteration of the generator, for curves')
    options.add(parser, '--device')
    options.add(parser, '--workers', role='decoding threads of each process', default=min(8, os.cpu_count() or 1))
    add('--cache-dir', metavar='DIR', help='folder of cached features (default: $LEOKIT_STATISTICS or '
                                           '~/.cache/leokit/statistics)')
    add('--no-cache', action='store_true', help='neither read nor write cached features')
    parser.accept_deprecated({'--fps': '--input-fps'})


def choose_protocol(args: argparse.Namespace) -> 'Protocol':
    """The protocol with the changes of the command line."""
    from leokit.evaluation import load_protocol
    protocol = load_protocol(args.protocol).changed(args.protocol_options or {})
    return protocol.changed({'sampling.fewer': 'both'}) if args.allow_fewer else protocol


def choose_extractors(entries: list[str]) -> dict[str, str]:
    """``['I3D', 'acd=ColorStatistics']`` -> ``{'': 'I3D', 'acd': 'ColorStatistics'}``."""
    from leokit.utils import UserError
    chosen = {}
    for entry in entries:
        metric, _, kind = entry.rpartition('=')
        if metric in chosen:
            raise UserError(f'--extractor names two extractors for {metric or "the video distances"}; keep one')
        chosen[metric] = kind
    return chosen


def nest_options(flat: dict) -> dict[str, dict]:
    """``{'I3D.weights': x}`` -> ``{'I3D': {'weights': x}}``."""
    from leokit.utils import UserError
    nested: dict[str, dict] = {}
    for key, value in flat.items():
        kind, _, name = key.partition('.')
        if not name:
            raise UserError(f'--extractor-options {key} is not of the form TYPE.KEY=VALUE, as in I3D.weights=/path')
        nested.setdefault(kind, {})[name] = value
    return nested


def join_process_group(device: str | None) -> str:
    """Join the process group of torchrun, if there is one, and choose this process's device."""
    import torch
    import torch.distributed as dist

    from leokit.engine.distributed import choose_gloo_interface
    if int(os.environ.get('WORLD_SIZE', '1')) > 1:
        choose_gloo_interface('pytorch')
        dist.init_process_group('gloo')  # only features are exchanged, and those are on the CPU
    name = options.choose_device(device)
    if name == 'cuda':
        name = f'cuda:{int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()}'
    return name


def print_report(records: 'list[ResultRecord]', protocol: 'Protocol') -> None:
    """Print the scores and their caveats."""
    from leokit.utils.tables import text_table
    resolution = protocol.frames.resolution
    print(f'protocol {protocol.name}: {records[0].real.clips} real and {records[0].fake.clips} generated clips of '
          f'{protocol.clips.length} frames, stride {protocol.clips.stride}, '
          f'{f"{resolution} pixels" if resolution else "original size"}')
    rows = []
    for record in records:
        score, real = record.score, record.details.get('real_value')
        rows.append([record.metric, 'not measured' if score.value is None else f'{score.value:.5g}',
                     '' if score.std is None else f'± {score.std:.2g} ({score.std_of})',
                     '' if real is None else f'real videos: {real:.5g}'])
    print(text_table(rows))
    for sentence in dict.fromkeys(sentence for record in records for sentence in record.warnings):
        print(f'note: {sentence}')


def run(args: argparse.Namespace) -> None:
    """Run the evaluation."""
    import torch.distributed as dist

    from leokit.evaluation import (
        Compute, ReadOptions, RunInfo, build_jobs, evaluate_sets, save_records, scan_videos)
    from leokit.utils.cache_dirs import statistics_dir
    from leokit.utils.option_text import read_options
    from leokit.video import VideoFilter
    device = join_process_group(args.device)
    protocol = choose_protocol(args)
    jobs = build_jobs(args.metrics, protocol, choose_extractors(args.extractor),
                      nest_options(args.extractor_options or {}))
    reading = ReadOptions(args.input_fps, args.float_range, args.workers)
    filters = read_options(args.real_filters or {}, VideoFilter)
    split = {'split': args.split} if args.split else {}
    real = scan_videos(args.real, protocol, filters=VideoFilter.from_config({**filters, **split}),
                       use_protocol_split=True, options=reading)
    fake = scan_videos(args.fake, protocol, options=reading)
    cache = None if args.no_cache else Path(args.cache_dir or statistics_dir())
    records = evaluate_sets(real, fake, jobs, protocol, compute=Compute(device, args.workers, cache),
                            run=RunInfo.now(args.model or Path(args.fake).stem, args.step))
    if records is not None:  # the first process
        for item in (*real.skipped, *fake.skipped):
            print(f'left out: {item}', file=sys.stderr)
        print_report(records, protocol)
        if args.out:
            save_records(args.out, records)
    if dist.is_initialized():
        dist.destroy_process_group()
