"""Write a manifest of a folder of videos: identity, split, number of frames and frame rate of each.

    leokit manifest --videos data/voxceleb --identity-parents 1
    leokit manifest --videos data/clips --identity-pattern '(id[0-9]+)_'

The manifest is written into the folder itself, where every dataset finds it. Identities, never clips, are divided into
train, val and test; folders with these names keep their split.
"""

import argparse
from collections import Counter
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import non_negative_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add(parser, '--videos', role='searched recursively', required=True)
    options.add_out(parser, 'file', role='.json, .jsonl or .csv', unset='manifest.json in the folder')
    parser.add_argument('--identity-pattern', metavar='REGEX',
                        help="searched in each video's path below the folder; the first group is the identity")
    parser.add_argument('--identity-parents', type=non_negative_int, default=0, metavar='N',
                        help='the outermost N folders are the identity (default: each video has its own)')
    options.add(parser, '--split-fractions')
    options.add(parser, '--seed', role='another seed divides the identities differently')
    parser.add_argument('--overwrite', action='store_true', help='replace an existing manifest')
    parser.accept_deprecated({'--fractions': '--split-fractions'}, positionals=['--videos'])


def run(args: argparse.Namespace) -> None:
    """Inspect the videos and write the manifest."""
    from leokit.utils import UserError
    from leokit.video import VideoIndex, write_manifest
    from leokit.video.manifest_builder import build_manifest
    out = args.out or Path(args.videos, 'manifest.json')
    if out.exists() and not args.overwrite:
        raise UserError(f'{out} exists already; pass --overwrite to replace it')
    index = VideoIndex(args.videos, manifest=None)
    rows = build_manifest(index, out.parent, pattern=args.identity_pattern, parents=args.identity_parents,
                          fractions=args.split_fractions, seed=args.seed)
    write_manifest(out, rows)
    clips = Counter(row['split'] for row in rows)
    print(f'{out}: {len(rows)} videos of {len({row["identity"] for row in rows})} identities; '
          f'{", ".join(f"{count} {split}" for split, count in clips.items())}; {len(index.skipped)} skipped')
