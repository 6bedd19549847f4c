"""Write a manifest of the videos that meet conditions on any key of their entries.

    leokit data select --videos data/all.json --where category=face generated_by=LEO --out data/leo_faces.json
    leokit data select --videos data/all.json --where category=face generated_by= "source.fps>=15" \\
        --per-identity 2 --fps-from source.fps --out data/real_faces.json

All conditions must hold. KEY= means that the key is missing, KEY!= that it is there; a.b is the key b within a.
Configs and commands then take the new manifest; videos are neither copied nor opened.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import positive_int
from leokit.cli.imports import import_libraries


def condition(text: str) -> str:
    """A condition on a key, checked while the command line is parsed."""
    import_libraries()  # not at the top: --help does without them
    from leokit.data_tools.selection import Condition
    try:
        Condition.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    options.add(parser, '--videos', required=True)
    add('--where', nargs='+', default=[], type=condition, metavar='KEY=VALUE',
        help='conditions: KEY=VALUE, KEY!=VALUE, KEY>=NUMBER, KEY<=NUMBER')
    add('--per-identity', type=positive_int, metavar='N', help='keep the first N videos of each identity')
    add('--fps-from', metavar='KEY', help='key of the rate to state as fps, where files play at another one')
    options.add_out(parser, 'file', role='the manifest: .json, .jsonl or .csv', required=True)
    add('--overwrite', action='store_true', help='replace an existing manifest')


def run(args: argparse.Namespace) -> None:
    """Select, write, print."""
    from leokit.data_tools.data_items import check_output, save_rows
    from leokit.data_tools.selection import Condition, select_data
    check_output(args.out, args.overwrite)
    rows = select_data(args.videos, args.out.parent, [Condition.parse(text) for text in args.where],
                       per_identity=args.per_identity, fps_key=args.fps_from)
    note = save_rows(args.out, rows)
    people = len({row.get('identity') or row['name'] for row in rows})
    print(f'{args.out}: {len(rows)} videos of {people} identities')
    if note:
        print(f'note: {note}')
