"""Analyze the answers of a user study: preferences, ranking, agreement of the raters.

    leokit user-study analyze answers/ --key study/page.key.json --out study/report
"""

import argparse
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import fraction, non_negative_int, positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('results', nargs='+', type=Path, metavar='RESULTS', help="the raters' files, or folders of them")
    add('--key', type=Path, required=True, metavar='FILE', help='the key that leokit user-study prepare wrote')
    options.add_out(parser, 'file', role='OUT.md and OUT.json', unset='only print the report', metavar='OUT', type=Path)
    add('--max-failed-checks', type=non_negative_int, default=0, metavar='N',
        help='failed attention checks that are tolerated (default: %(default)s)')
    add('--bootstrap', type=positive_int, default=2000, metavar='N',
        help='bootstrap samples of the raters (default: %(default)s)')
    add('--confidence', type=fraction, default=0.95, metavar='P',
        help='coverage of the intervals (default: %(default)s)')
    options.add(parser, '--seed', role='of the bootstrap')


def run(args: argparse.Namespace) -> None:
    """Print the report and write it."""
    from leokit.user_study import StudyKey, analyze_study, render_report, write_text
    from leokit.utils.files import write_json
    report = analyze_study(args.results, StudyKey.load(args.key), max_failed_checks=args.max_failed_checks,
                           samples=args.bootstrap, confidence=args.confidence, seed=args.seed)
    text = render_report(report)
    print(text)
    if args.out:
        write_text(args.out.with_name(args.out.name + '.md'), text)
        write_json(args.out.with_name(args.out.name + '.json'), report)
