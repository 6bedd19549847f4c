"""Merge the manifests of several datasets into one.

    leokit data merge data/vox data/celebv_hq --out data/both.json --prefixes vox celebv
    leokit data merge data/part1 data/part2 --out data/all.json --same-people
    leokit data merge data/faces data/synthetic_faces --out data/mixed.json --categories real synthetic

Names and identities that occur in several datasets are refused unless it is said what they mean: with --prefixes they
are different, with --same-people equal identities are one person.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('datasets', nargs='+', metavar='DIR', help='folders of videos, or manifests')
    options.add_out(parser, 'file', role='the manifest: .json, .jsonl or .csv', required=True)
    add('--prefixes', nargs='+', metavar='NAME', help='prefix of the names and identities of each dataset')
    add('--categories', nargs='+', metavar='NAME', help='category of the videos of each dataset that have none')
    add('--same-people', action='store_true', help='equal identities of different datasets are one person')
    add('--overwrite', action='store_true', help='replace an existing manifest')


def run(args: argparse.Namespace) -> None:
    """Merge, write, print."""
    from leokit.data_tools.data_items import check_output, save_rows
    from leokit.data_tools.merging import merge_data
    check_output(args.out, args.overwrite)
    rows = merge_data(args.datasets, args.out.parent, prefixes=args.prefixes, same_people=args.same_people,
                      categories=args.categories)
    note = save_rows(args.out, rows)
    print(f'{args.out}: {len(rows)} videos of {len({row["identity"] for row in rows})} identities from '
          f'{len(args.datasets)} datasets')
    if note:
        print(f'note: {note}')
