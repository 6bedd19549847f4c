"""Pack a dataset into shards: a thousand video files in one tar file, for network file systems and millions of clips.

    leokit data pack --videos data/clips --out data/shards

Datasets read the shards like the files: data_root='data/shards'. Run again after an interruption, it continues.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add(parser, '--videos', required=True)
    options.add_out(parser, 'folder', required=True)
    parser.add_argument('--clips-per-shard', type=positive_int, default=1000, metavar='N',
                        help='videos in a shard (default: %(default)s)')
    options.add(parser, '--workers', role='shards written at a time', unset='one per CPU core')


def run(args: argparse.Namespace) -> None:
    """Write the shards and print a summary."""
    from leokit.data_tools.packing import pack_videos
    report = pack_videos(args.videos, args.out, clips_per_shard=args.clips_per_shard, workers=args.workers)
    print(f'{args.out}: {report.videos} videos in {report.shards} shards, {report.written} of them new; '
          f'{report.bytes / 2**20:.1f} MiB; {len(report.skipped)} videos skipped')
    for skipped in report.skipped:
        print(f'  skipped {skipped}')
