"""Benchmark the cutting of clips next to the program ffmpeg, which does the same decoding and encoding.

    leokit bench cutting
    leokit bench cutting --videos data/raw --workers 8

Without videos, some of 1280x720 are written.
"""

import argparse
import tempfile
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import positive_float, positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--videos', unset='write some')
    options.add(parser, '--size', default=256)
    add('--num-clips', type=positive_int, default=3, metavar='N', help='clips of each video (default: %(default)s)')
    add('--seconds', type=positive_float, default=5.0, help='length of a clip (default: %(default)s)')
    options.add(parser, '--workers', role='processes; with 1 none is started', default=1)
    add('--repeats', type=positive_int, default=3, metavar='N', help='timed runs (default: %(default)s)')


def run(args: argparse.Namespace) -> None:
    """Cut the clips both ways and print the times."""
    from leokit.benchmark.speed.cutting import bench_cutting, write_test_videos
    from leokit.video import find_videos
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        videos = ([entry.path for entry in find_videos(args.videos)] if args.videos
                  else write_test_videos(made, 2 * args.seconds))
        bench_cutting(videos, made, clips=args.num_clips, seconds=args.seconds, size=args.size, workers=args.workers,
                      repeats=args.repeats)
