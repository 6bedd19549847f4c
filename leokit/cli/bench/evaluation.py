"""Benchmark the speed and accuracy of the evaluation.

    leokit bench evaluation --sections distances
    leokit bench evaluation --videos clips/ --extractor EfficientNetLite0Features
    leokit bench evaluation --device cuda --workers 12 --extractor i3d-untrained

"distances" times the Fréchet and kernel distances, next to ``scipy.linalg.sqrtm``, and prints their values. "pipeline"
times the decoder alone, the network alone (with upload and resize) and both together, which should reach 90 % of the
slower of the two.
"""

import argparse
import tempfile
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import positive_int

SECTIONS = ('distances', 'pipeline')
RENAMED_SECTIONS = {'arithmetic': 'distances'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('--sections', nargs='+', type=lambda name: RENAMED_SECTIONS.get(name, name), choices=SECTIONS, default=SECTIONS,
        help='parts of the benchmark to run (default: all)')
    add('--num-samples', type=positive_int, default=2048, metavar='N', help='features per set (default: %(default)s)')
    add('--dim', type=positive_int, default=400, metavar='N', help='length of a feature (default: %(default)s)')
    add('--skip-scipy', action='store_true', help='leave scipy.linalg.sqrtm out')
    options.add(parser, '--videos', unset='write some')
    add('--num-clips', type=positive_int, default=64, metavar='N',
        help='clips through the pipeline, 2 or more (default: %(default)s)')
    add('--protocol', default='quick', metavar='NAME', help='protocol of the clips (default: %(default)s)')
    options.add(parser, '--extractor', role='or i3d-untrained', default='EfficientNetLite0Features')
    options.add(parser, '--device')
    options.add(parser, '--workers', role='decoding threads', default=1)
    add('--threads', type=positive_int, default=1, metavar='N',
        help="the network's threads on a CPU (default: %(default)s)")
    add('--repeats', type=positive_int, default=3, metavar='N', help='timed runs (default: %(default)s)')
    parser.accept_deprecated({'--samples': '--num-samples', '--clips': '--num-clips'})


def run(args: argparse.Namespace) -> None:
    """Run the chosen sections and print the results."""
    import torch

    from leokit.benchmark.speed.evaluation import bench_distances, bench_pipeline, write_test_videos
    from leokit.evaluation import ReadOptions, load_protocol, scan_videos
    from leokit.utils import UserError
    torch.set_num_threads(args.threads)
    if args.num_clips < 2:
        raise UserError('--num-clips must be at least 2')
    if 'distances' in args.sections:
        bench_distances(args.num_samples, args.dim, repeats=args.repeats, scipy=not args.skip_scipy)
    if 'pipeline' in args.sections:
        protocol = load_protocol(args.protocol).changed(
            {'sampling.num_clips': args.num_clips, 'sampling.fewer': 'both'})
        with tempfile.TemporaryDirectory() as folder:
            if args.videos is None:
                write_test_videos(Path(folder))
            videos = scan_videos(args.videos or folder, protocol, options=ReadOptions(workers=args.workers))
            bench_pipeline(videos, protocol, args.extractor, torch.device(options.choose_device(args.device)),
                           workers=args.workers, repeats=args.repeats)
