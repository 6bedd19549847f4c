"""Measure a folder of generated videos against real ones, whoever made them.

    python tools/evaluate.py --real videos/test --fake samples --metrics fvd kvd acd --protocol digan --out results.json
    python tools/evaluate.py --real videos/test --fake samples --extractor EfficientNetLite0Features
    torchrun --nproc-per-node 4 tools/evaluate.py --real manifest.json --split test --fake samples ...

Videos may be files (mp4, gif, ...), folders of pictures or NumPy arrays, of any size and rate. docs/evaluation.md
explains metrics, protocols and pitfalls.
"""

import argparse
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from leokit.apis import check_device  # noqa: E402
from leokit.video import VideoFilter  # noqa: E402
from leokit.evaluation import (
    VIDEO_SET_METRICS, Compute, Protocol, ReadOptions, ResultRecord, RunInfo, build_jobs,
    evaluate_sets, load_protocol, preset_names, save_records, scan_videos)
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.arguments import add_key_values, output_file, positive_int  # noqa: E402
from leokit.utils.cache_dirs import statistics_dir  # noqa: E402


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('--real', required=True, help='folder of real videos, or a manifest (.json)')
    add('--fake', required=True, help='folder of generated videos, or a manifest (.json)')
    add('--metrics', nargs='+', default=['fvd', 'kvd'], help=f'any of {", ".join(VIDEO_SET_METRICS)}')
    add('--protocol', default='quick', help=f'a preset ({", ".join(preset_names())}) or a config file')
    add_key_values(parser, '--protocol-options',
                   'changes to the protocol, such as sampling.num_clips=512 clips.stride=4')
    add('--split', help="split of the real set; by default the protocol's, where the set has splits")
    add_key_values(parser, '--real-filters',
                   'what to take of the real set, as in training configs: category=face segment=0.8,1')
    add('--extractor', nargs='+', default=[], metavar='[METRIC=]TYPE',
        help='feature extractor of the video distances, or of one metric, as in acd=ColorStatistics')
    add_key_values(parser, '--extractor-options',
                   'arguments of an extractor, such as I3D.weights=/path/i3d_pretrained_400.pt')
    add('--allow-fewer', action='store_true', help='measure with fewer clips than the protocol asks for')
    add('--fps', type=float, help='rate of frame folders and arrays, for protocols that resample')
    add('--float-range', help='range of floating-point arrays: --float-range=-1:1, 0:1 or 0:255')
    add('--out', type=output_file, help='file for the result records (JSON)')
    add('--model', help='name of what made the videos, for tables')
    add('--step', type=int, help='training step, for curves')
    add('--device', help='cpu or cuda; by default a GPU if there is one')
    add('--workers', type=positive_int, default=min(8, os.cpu_count() or 1), help='decoding threads of each process')
    add('--cache-dir', help=f'cached features of real sets; by default {statistics_dir()}')
    add('--no-cache', action='store_true', help='neither read nor write cached features')
    return parser.parse_args()


def choose_protocol(arguments: argparse.Namespace) -> Protocol:
    """The preset with the changes of the command line."""
    protocol = load_protocol(arguments.protocol).changed(arguments.protocol_options or {})
    return protocol.changed({'sampling.fewer': 'both'}) if arguments.allow_fewer else protocol


def choose_extractors(entries: list[str]) -> dict[str, str]:
    """``['I3D', 'acd=ColorStatistics']`` -> ``{'': 'I3D', 'acd': 'ColorStatistics'}``."""
    chosen = {}
    for entry in entries:
        metric, _, kind = entry.rpartition('=')
        if metric in chosen:
            raise UserError(f'--extractor names two extractors for {metric or "the video distances"}; keep one')
        chosen[metric] = kind
    return chosen


def nested_options(options: dict) -> dict[str, dict]:
    """``{'I3D.weights': x}`` -> ``{'I3D': {'weights': x}}``."""
    nested: dict[str, dict] = {}
    for key, value in options.items():
        kind, _, name = key.partition('.')
        if not name:
            raise UserError(f'--extractor-options {key} is not of the form TYPE.KEY=VALUE, as in I3D.weights=/path')
        nested.setdefault(kind, {})[name] = value
    return nested


def start(device: str | None) -> str:
    """Join the process group of torchrun, if there is one, and choose this process's device."""
    if int(os.environ.get('WORLD_SIZE', '1')) > 1:
        dist.init_process_group('gloo')  # only features travel between processes, and those are on the CPU
    name = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    check_device(name)
    if name == 'cuda':
        name = f'cuda:{int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()}'
    return name


def real_filters(arguments: argparse.Namespace) -> VideoFilter:
    """What to take of the real set."""
    split = {'split': arguments.split} if arguments.split else {}
    return VideoFilter.from_config({**(arguments.real_filters or {}), **split})


def report(records: list[ResultRecord], protocol: Protocol) -> None:
    """Print the scores and what should be known about them."""
    side = protocol.frames.resolution
    print(f'protocol {protocol.name}: {records[0].real.clips} real and {records[0].fake.clips} generated clips of '
          f'{protocol.clips.length} frames, stride {protocol.clips.stride}, {f"{side} pixels" if side else "own size"}')
    width = max(len(record.metric) for record in records)
    for record in records:
        score = record.score
        value = 'not measured' if score.value is None else f'{score.value:.5g}'
        spread = '' if score.std is None else f' ± {score.std:.2g} ({score.std_of})'
        real = record.details.get('real_value')
        beside = '' if real is None else f'   real videos: {real:.5g}'
        print(f'{record.metric:<{width}}  {value}{spread}{beside}')
    for sentence in dict.fromkeys(sentence for record in records for sentence in record.warnings):
        print(f'note: {sentence}')


def main() -> None:
    """Run the evaluation."""
    arguments = parse_arguments()
    device = start(arguments.device)
    protocol = choose_protocol(arguments)
    jobs = build_jobs(arguments.metrics, protocol, choose_extractors(arguments.extractor),
                        nested_options(arguments.extractor_options or {}))
    options = ReadOptions(arguments.fps, arguments.float_range, arguments.workers)
    real = scan_videos(arguments.real, protocol, filters=real_filters(arguments), use_protocol_split=True,
                       options=options)
    fake = scan_videos(arguments.fake, protocol, options=options)
    cache = None if arguments.no_cache else Path(arguments.cache_dir or statistics_dir())
    records = evaluate_sets(real, fake, jobs, protocol, compute=Compute(device, arguments.workers, cache),
                            run=RunInfo.now(arguments.model or Path(arguments.fake).stem, arguments.step))
    if records is not None:  # the first process
        for videos in (real, fake):
            for item in videos.skipped:
                print(f'left out: {item}', file=sys.stderr)
        report(records, protocol)
        if arguments.out:
            save_records(arguments.out, records)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == '__main__':
    run_tool(main)
