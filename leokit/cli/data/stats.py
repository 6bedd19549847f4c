"""Describe a dataset: lengths, frame rates, sizes, identities and motion, as a table, JSON and a picture.

    leokit data stats --videos data/clips --out stats.json --plot stats.png
    leokit data stats --videos data/clips --codes data/clips_codes
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import png_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add(parser, '--videos', required=True)
    options.add(parser, '--codes', role='for the motion')
    options.add_out(parser, 'json')
    parser.add_argument('--plot', type=png_file, metavar='FILE.png', help='draw the histograms')


def run(args: argparse.Namespace) -> None:
    """Measure, print, write."""
    from leokit.data_tools.statistics import data_statistics, plot_statistics, statistics_table
    from leokit.utils.files import write_json
    result = data_statistics(args.videos, codes=args.codes)
    print(statistics_table(result))
    if args.out:
        write_json(args.out, result)
    if args.plot:
        plot_statistics(result, args.plot)
