"""Result files to a table (Markdown or LaTeX) and plots.

    python tools/analysis_tools/compare_results.py results/*.json
    python tools/analysis_tools/compare_results.py results/*.json --format latex --out table.tex
    python tools/analysis_tools/compare_results.py results/*.json --plot-steps fvd.png --plot-time drift.png

Scores of different protocols, real sets, feature networks or numbers of clips do not go into one column unless
--allow-mixed says so; they are then marked by letters.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from leokit.evaluation.comparison import build_table, to_latex, to_markdown  # noqa: E402
from leokit.evaluation.plots import plot_steps, plot_time  # noqa: E402
from leokit.evaluation.records import load_records  # noqa: E402
from leokit.utils import run_tool  # noqa: E402
from leokit.utils.files import clear_write_errors, write_bytes  # noqa: E402

FORMATS = dict(markdown=to_markdown, latex=to_latex)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add('results', nargs='+', help='files that tools/evaluate.py --out wrote')
    add('--metrics', nargs='+', help='keys of the metrics to show; all by default')
    add('--format', choices=FORMATS, default='markdown')
    add('--out', help='file for the table; it is printed otherwise')
    add('--plot-steps', metavar='PICTURE', help='draw the metrics against training steps')
    add('--plot-time', metavar='PICTURE', help='draw the metrics that have a curve over time')
    add('--allow-mixed', action='store_true', help='let a column hold scores of different protocols')
    return parser.parse_args()


def main() -> None:
    """Load, compare, print."""
    arguments = parse_arguments()
    records = [record for path in arguments.results for record in load_records(path)]
    if arguments.metrics:
        records = [record for record in records if record.metric in arguments.metrics]
    text = FORMATS[arguments.format](build_table(records, allow_mixed=arguments.allow_mixed))
    if arguments.out:
        with clear_write_errors(arguments.out):
            write_bytes(arguments.out, text.encode())
    else:
        print(text, end='')
    if arguments.plot_steps:
        plot_steps(records, arguments.plot_steps, allow_mixed=arguments.allow_mixed)
    if arguments.plot_time:
        plot_time(records, arguments.plot_time, allow_mixed=arguments.allow_mixed)


if __name__ == '__main__':
    run_tool(main)
