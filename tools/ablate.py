"""Run a study: every variant under every seed is trained and tested, and a table says what differs.

    python tools/ablate.py configs/ablations/lmc.py --work-dir work_dirs/ablations/lmc
    python tools/ablate.py configs/ablations/lmc.py --jobs 8 --gpus 0,1,2,3
    python tools/ablate.py configs/ablations/lmc.py --dry-run
    python tools/ablate.py configs/ablations/lmc.py --cfg-options seeds=[0,1,2,3,4] options.max_iters=5000

What is done is skipped, what is half done is continued, so the same command goes on after any end. --cfg-options change
the study; below ``options`` they reach the configs of all variants. In the work dir: table.md, table.tex, results.json,
curves.png, sheet.png where the tests render, and a folder for each run with its config, logs and checkpoints.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.engine import EXIT_STATUS  # noqa: E402
from leokit.studies import StudyRunner, compare, load_study, plan_runs, plot_study, write_results, write_study_sheet
from leokit.utils import UserError, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, positive_int  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('study', help='the config file of the study')
    parser.add_argument('--work-dir', type=Path, help='default: work_dirs/ablations/STUDY')
    parser.add_argument('--jobs', type=positive_int, default=1, help='runs side by side (default: %(default)s)')
    parser.add_argument('--gpus', help='GPUs to share out among the jobs, e.g. 0,1 (default: all that are visible)')
    parser.add_argument('--dry-run', action='store_true', help='only say how far every run is')
    add_cfg_options(parser)
    return parser.parse_args()


def gpus_of(named: str | None) -> list[str]:
    """The GPUs to use: those named, those of the environment, or all."""
    named = named or os.environ.get('CUDA_VISIBLE_DEVICES', '')
    return [gpu.strip() for gpu in named.split(',') if gpu.strip()] or list(map(str, range(torch.cuda.device_count())))


def main() -> int:
    """Plan, run, compare; the exit status says whether a signal ended it early."""
    args = parse_args()
    study = load_study(args.study, args.cfg_options)
    work_dir = args.work_dir or Path('work_dirs/ablations') / Path(args.study).stem
    runs = plan_runs(study, work_dir)
    if args.dry_run:
        for run in runs:
            print(f'{run.name}: {run.state}')
        return 0
    runner = StudyRunner(runs, work_dir, tools=Path(__file__).resolve().parent, jobs=args.jobs,
                         devices=gpus_of(args.gpus), say=lambda line: print(line, flush=True))
    try:
        runner.run()
    finally:  # of what there is, however it ended
        comparison = compare(study, runs)
        drawn = plot_study(study, runs, work_dir / 'curves.png')
        try:
            shown = write_study_sheet(study, runs, work_dir / 'sheet.png')
        except UserError as error:  # a damaged clip costs no table
            shown = False
            print(f'no contact sheet: {error}')
        write_results(comparison, work_dir, picture='curves.png' if drawn else None,
                      sheet='sheet.png' if shown else None)
        print(f'{work_dir}/table.md: {comparison.done} of {comparison.total} runs')
    return EXIT_STATUS if runner.stopped_by else 0


if __name__ == '__main__':
    run_tool(main)
