"""Divide a dataset into train, val and test by identity: no person is in two splits.

    leokit data split --videos data/clips --out data/clips/manifest.json --overwrite
    leokit data split --videos data/clips --out data/clips/split.json --faces --near-duplicates

The split of an identity is a function of its name and the seed alone, as in all of leokit. --faces joins identities
that look like one person, for data without identity labels; --near-duplicates joins those seen in one recording.
"""

import argparse

from leokit.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--videos', required=True)
    options.add_out(parser, 'file', role='the manifest: .json, .jsonl or .csv', required=True)
    options.add(parser, '--split-fractions')
    options.add(parser, '--seed', role='another seed divides the identities differently')
    add('--faces', action='store_true', help='join identities whose faces look like one person (dlib)')
    add('--near-duplicates', action='store_true', help='join identities that are seen in the same recording')
    add('--overwrite', action='store_true', help='replace an existing manifest')


def run(args: argparse.Namespace) -> None:
    """Divide, write, print."""
    from leokit.data_tools.data_items import check_output, save_rows
    from leokit.data_tools.splitting import count_splits, split_data
    check_output(args.out, args.overwrite)
    rows = split_data(args.videos, args.out.parent, fractions=args.split_fractions, seed=args.seed, faces=args.faces,
                      near_duplicates=args.near_duplicates)
    note = save_rows(args.out, rows)
    listed = ', '.join(f'{split}: {videos} videos of {people} identities'
                       for split, (videos, people) in count_splits(rows).items())
    print(f'{args.out}: {listed}')
    if note:
        print(f'note: {note}')
