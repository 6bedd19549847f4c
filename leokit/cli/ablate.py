"""Run an ablation study: train and test every variant under every seed, and tabulate the differences.

    leokit ablate lmc --work-dir work_dirs/ablations/lmc
    leokit ablate lmc --jobs 8 --gpus 0,1,2,3
    leokit ablate lmc --dry-run

Finished runs are skipped and interrupted ones resumed, so the same command continues after any interruption.
--cfg-options change the study; below ``options`` they reach the configs of all variants. The work dir receives
table.md, table.tex, results.json, curves.png, sheet.png if the tests render videos, and a folder per run with its
config, logs and checkpoints.
"""

import argparse
import os
from pathlib import Path

from leokit.cli import options
from leokit.cli.argument_types import positive_int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a study', 'lmc')
    options.add(parser, '--work-dir', type=Path, unset='work_dirs/ablations/CONFIG')
    add = parser.add_argument
    add('--jobs', type=positive_int, default=1, metavar='N', help='concurrent runs (default: %(default)s)')
    add('--gpus', metavar='INDICES', help='GPUs shared by the jobs, e.g. 0,1 (default: all visible ones)')
    add('--dry-run', action='store_true', help='only print the state of every run')
    options.add(parser, '--cfg-options')


def list_gpus(indices: str | None) -> list[str]:
    """The GPUs to use: those given, those of the environment, or all."""
    import torch
    indices = indices or os.environ.get('CUDA_VISIBLE_DEVICES', '')
    chosen = [gpu.strip() for gpu in indices.split(',') if gpu.strip()]
    return chosen or [str(index) for index in range(torch.cuda.device_count())]


def run(args: argparse.Namespace) -> int:
    """Plan, run, compare; the exit status tells whether a signal ended the study early."""
    from leokit.engine import EXIT_STATUS
    from leokit.studies import StudyRunner, compare, load_study, plan_runs, plot_study, write_results, write_study_sheet
    from leokit.utils import UserError
    study = load_study(args.config, args.cfg_options)
    work_dir = args.work_dir or Path('work_dirs/ablations') / Path(args.config).stem
    runs = plan_runs(study, work_dir)
    if args.dry_run:
        for planned in runs:
            print(f'{planned.name}: {planned.state}')
        return 0
    runner = StudyRunner(runs, work_dir, jobs=args.jobs, devices=list_gpus(args.gpus),
                         log=lambda line: print(line, flush=True))
    try:
        runner.run()
    finally:  # summarize the finished runs, however the study ended
        comparison = compare(study, runs)
        plotted = plot_study(study, runs, work_dir / 'curves.png')
        try:
            sheet = write_study_sheet(study, runs, work_dir / 'sheet.png')
        except UserError as error:  # a damaged clip must not cost the table
            sheet = False
            print(f'no contact sheet: {error}')
        write_results(comparison, work_dir, curves='curves.png' if plotted else None,
                      sheet='sheet.png' if sheet else None)
        print(f'{work_dir}/table.md: {comparison.done} of {comparison.total} runs')
    return EXIT_STATUS if runner.stopped_by else 0
