"""Write a data card in Markdown: composition, hash, origin, license, preparation, known problems.

    leokit data card --videos data/clips --out data/clips/CARD.md --title 'My portraits' --license 'CC BY 4.0'
"""

import argparse
from pathlib import Path

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--videos', required=True)
    options.add(parser, '--codes', role='for the motion')
    options.add_out(parser, 'file', role='the card; a picture of the same name in .png goes with it', required=True)
    add('--title', metavar='TEXT', help='name of the dataset (default: the name of its folder)')
    add('--license', metavar='TEXT', help='license or terms of use')
    add('--origin', metavar='TEXT', help='where the videos come from')
    add('--near-duplicates', action='store_true', help='decode all videos and look for recordings that occur twice')
    add('--no-hashes', action='store_true', help='do not read whole files; the card then has no hash')


def run(args: argparse.Namespace) -> None:
    """Measure, check, write."""
    from leokit.data_tools.card import data_card, find_preparation
    from leokit.data_tools.integrity import check_data
    from leokit.data_tools.statistics import data_statistics, plot_statistics
    from leokit.utils import UserError
    from leokit.utils.files import clear_write_errors, write_bytes
    if args.out.suffix.lower() != '.md':
        raise UserError(f'the card {args.out} must end in .md')
    folder = Path(args.videos) if Path(args.videos).is_dir() else Path(args.videos).parent
    statistics = data_statistics(args.videos, codes=args.codes)
    check = check_data(args.videos, hashes=not args.no_hashes, near_duplicates=args.near_duplicates)
    figure = args.out.with_suffix('.png')
    plot_statistics(statistics, figure)
    text = data_card(statistics, check, title=args.title or folder.resolve().name, license=args.license,
                     origin=args.origin, preparation=find_preparation(folder), figure=figure.name)
    with clear_write_errors(args.out):
        write_bytes(args.out, text.encode())
    print(f'{args.out}, {figure}')
