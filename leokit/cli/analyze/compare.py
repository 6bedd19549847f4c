"""Compare result files in a table (Markdown or LaTeX) and in plots.

    leokit analyze compare results/*.json
    leokit analyze compare results/*.json --format latex --out table.tex
    leokit analyze compare results/*.json --plot-steps fvd.png --plot-time drift.png

Scores with different protocols, real sets, feature networks or numbers of clips are not put into one column unless
--allow-mixed is given; letters then mark them.
"""

import argparse

from leokit.cli import options
from leokit.cli.argument_types import output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('results', nargs='+', metavar='RESULTS', help='files that leokit evaluate --out wrote')
    add('--metrics', nargs='+', metavar='METRIC', help='keys of the metrics to show (default: all)')
    options.add(parser, '--format', choices=('markdown', 'latex'), default='markdown')
    options.add_out(parser, 'file', role='the table', unset='print it')
    add('--plot-steps', type=output_file, metavar='IMAGE', help='plot the metrics over training iterations')
    add('--plot-time', type=output_file, metavar='IMAGE', help='plot the metrics that have a curve over video time')
    add('--allow-mixed', action='store_true', help='allow different protocols in a column')


def run(args: argparse.Namespace) -> None:
    """Load, compare, print."""
    from leokit.evaluation.comparison import build_table
    from leokit.evaluation.plots import plot_steps, plot_time
    from leokit.evaluation.records import load_records
    from leokit.utils.files import clear_write_errors, write_bytes
    records = [record for path in args.results for record in load_records(path)]
    if args.metrics:
        records = [record for record in records if record.metric in args.metrics]
    table = build_table(records, allow_mixed=args.allow_mixed)
    text = table.to_latex() if args.format == 'latex' else table.to_markdown()
    if args.out:
        with clear_write_errors(args.out):
            write_bytes(args.out, text.encode())
    else:
        print(text, end='')
    if args.plot_steps:
        plot_steps(records, args.plot_steps, allow_mixed=args.allow_mixed)
    if args.plot_time:
        plot_time(records, args.plot_time, allow_mixed=args.allow_mixed)
