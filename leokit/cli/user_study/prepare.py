"""Write the HTML page that the raters open, and the key that decodes their answers.

    leokit user-study prepare --method ours=results/ours --method baseline=results/baseline \\
        --question 'Which video looks more natural?' --pairs-per-rater 20 --attention-checks 3 --out study/page.html

The same folders and seed give the same page.
"""

import argparse
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import non_negative_int, positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('--method', action='append', required=True, metavar='NAME=DIR',
        help='a method and the folder of its videos; give the option twice or more')
    options.add_out(parser, 'file', role='the page for the raters', required=True, metavar='PAGE.html')
    add('--key', type=Path, metavar='FILE', help='the key, for the experimenter only (default: --out with .key.json)')
    add('--question', required=True, help='question that a rater answers for every pair')
    add('--pairs-per-rater', type=positive_int, default=20, metavar='N', help='pairs per rater (default: %(default)s)')
    add('--pool', type=positive_int, metavar='N',
        help='pairs on the page (default: as many as one rater sees, so that all raters see the same)')
    add('--attention-checks', type=non_negative_int, default=3, metavar='N',
        help='attention checks per rater (default: %(default)s)')
    add('--allow-ties', action='store_true', help='offer the answer "no difference"')
    add('--title', help='title of the page')
    add('--introduction', help='text on the first screen')
    add('--closing', help='text on the last screen, such as where to send the answers')
    add('--height', type=positive_int, metavar='PIXELS', help='scale all videos to this height')
    options.add(parser, '--seed', role='of pairs, left and right, and order')
    add('--overwrite', action='store_true', help='replace the key of another study')
    parser.accept_deprecated({'--folder': '--method'})


def parse_methods(entries: list[str]) -> dict[str, str]:
    """``['ours=results/ours']`` -> ``{'ours': 'results/ours'}``."""
    from leokit.utils import UserError
    folders: dict[str, str] = {}
    for entry in entries:
        name, equals, folder = entry.partition('=')
        if not (name and equals and folder):
            raise UserError(f'--method {entry} is not of the form NAME=DIR')
        if name in folders:
            raise UserError(f'--method names {name!r} twice; give every method its own name')
        folders[name] = folder
    return folders


def run(args: argparse.Namespace) -> None:
    """Write page and key."""
    from leokit.user_study import StudyOptions, prepare_study
    texts = dict(title=args.title, introduction=args.introduction, closing=args.closing)
    settings = StudyOptions(
        question=args.question, pairs_per_rater=args.pairs_per_rater, pool=args.pool,
        attention_checks=args.attention_checks, allow_ties=args.allow_ties, height=args.height, seed=args.seed,
        **{name: text for name, text in texts.items() if text is not None})
    study = prepare_study(parse_methods(args.method), settings)
    key_path = args.key or args.out.with_suffix('.key.json')
    study.write(args.out, key_path, args.overwrite)
    for remark in study.remarks:
        print(remark)
    print(f'page for the raters:      {args.out} ({args.out.stat().st_size / 2 ** 20:.1f} MiB)')
    print(f'key, keep it to yourself: {key_path}')
