"""Make a user study out of folders of videos, and analyze what the raters send back.

    python tools/user_study.py prepare --folder ours=results/ours --folder baseline=results/baseline \
        --question 'Which video looks more natural?' --pairs-per-rater 20 --attention-checks 3 --out study/page.html
    python tools/user_study.py analyze answers/ --key study/page.key.json --out study/report
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from leokit.user_study import StudyKey, StudyOptions, analyze_study, prepare_study, render_report, write_text
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)

    prepare = commands.add_parser('prepare', help='folders of videos -> one HTML page and its key')
    prepare.add_argument('--folder', action='append', required=True, metavar='NAME=DIR',
                         help='a method and its videos; give it twice or more')
    prepare.add_argument('--out', type=Path, required=True, metavar='PAGE.html', help='the page for the raters')
    prepare.add_argument('--key', type=Path, help='the experimenter\'s key (default: beside the page, .key.json)')
    prepare.add_argument('--question', required=True, help='what a rater answers for every pair')
    prepare.add_argument('--pairs-per-rater', type=int, default=20, help='pairs one rater sees (default: 20)')
    prepare.add_argument('--pool', type=int, help='pairs on the page (default: those of one rater, same for all)')
    prepare.add_argument('--attention-checks', type=int, default=3, help='checks each rater sees (default: 3)')
    prepare.add_argument('--allow-ties', action='store_true', help='offer "no difference"')
    prepare.add_argument('--title', default=StudyOptions.title, help='title of the page')
    prepare.add_argument('--introduction', default='', help='text on the first screen')
    prepare.add_argument('--closing', default=StudyOptions.closing,
                         help='text on the last screen, such as where to send the file')
    prepare.add_argument('--height', type=int, help='scale all videos to this height')
    prepare.add_argument('--seed', type=int, default=0, help='seed of pairs, sides and orders (default: 0)')
    prepare.add_argument('--overwrite', action='store_true', help='replace the key of another study')

    analyze = commands.add_parser('analyze', help='results and key -> Markdown and JSON')
    analyze.add_argument('results', nargs='+', type=Path, help='results files, or folders of them')
    analyze.add_argument('--key', type=Path, required=True, help='the key that prepare wrote')
    analyze.add_argument('--out', type=Path, help='write OUT.md and OUT.json (default: print the Markdown only)')
    analyze.add_argument('--max-failed-checks', type=int, default=0, help='failed checks forgiven (default: 0)')
    analyze.add_argument('--bootstrap', type=int, default=2000, help='bootstrap samples of raters (default: 2000)')
    analyze.add_argument('--confidence', type=float, default=0.95, help='coverage of intervals (default: 0.95)')
    analyze.add_argument('--seed', type=int, default=0, help='seed of the bootstrap (default: 0)')
    return parser.parse_args()


def parse_folders(entries: list[str]) -> dict[str, str]:
    """Split NAME=DIR arguments."""
    folders = {}
    for entry in entries:
        name, equals, folder = entry.partition('=')
        if not (name and equals and folder):
            raise UserError(f'--folder {entry} is not of the form NAME=DIR')
        if name in folders:
            raise UserError(f'--folder names {name!r} twice; give every method its own name')
        folders[name] = folder
    return folders


def prepare(args: argparse.Namespace) -> None:
    """Make the page and the key."""
    options = StudyOptions(question=args.question, pairs_per_rater=args.pairs_per_rater, pool=args.pool,
                           attention_checks=args.attention_checks, allow_ties=args.allow_ties, title=args.title,
                           introduction=args.introduction, closing=args.closing, height=args.height, seed=args.seed)
    study = prepare_study(parse_folders(args.folder), options)
    key_path = args.key or args.out.with_suffix('.key.json')
    study.write(args.out, key_path, args.overwrite)
    for remark in study.remarks:
        print(remark)
    print(f'page for the raters: {args.out} ({args.out.stat().st_size / 2 ** 20:.1f} MiB)')
    print(f'key, for you alone:  {key_path}')


def analyze(args: argparse.Namespace) -> None:
    """Print the report and write it."""
    report = analyze_study(args.results, StudyKey.load(args.key), max_failed_checks=args.max_failed_checks,
                           samples=args.bootstrap, confidence=args.confidence, seed=args.seed)
    text = render_report(report)
    print(text)
    if args.out:
        write_text(args.out.with_name(args.out.name + '.md'), text)
        write_json(args.out.with_name(args.out.name + '.json'), report)


def main() -> None:
    """Run one of the two commands."""
    args = parse_args()
    {'prepare': prepare, 'analyze': analyze}[args.command](args)


if __name__ == '__main__':
    run_tool(main)
