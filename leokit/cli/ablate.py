"""Run an ablation study: train and test every variant under every seed, and tabulate the differences.

    leokit ablate lmc --work-dir work_dirs/ablations/lmc
    leokit ablate lmc --jobs 8 --gpus 0,1,2,3
    leokit ablate lmc --dry-run
    SBATCH_ARGS="--partition=gpu --gres=gpu:1" leokit ablate lmc --submit slurm
    leokit ablate lmc --only none:3

Finished runs are skipped and interrupted ones resumed, so the same command continues after any interruption.
--cfg-options change the study; below ``options`` they reach the configs of all variants. The work dir receives
table.md, table.tex, results.json, curves.png, sheet.png if the tests render videos, and a folder per run with its
config, logs and checkpoints.

``--submit slurm`` submits a job per unfinished run. ``--only`` executes one run, and may run in several processes at
once (docs/clusters.md).
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.argument_types import positive_int

if TYPE_CHECKING:
    from leokit.studies import Run, Study

REPORT_PATIENCE = 60.0  # seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a study', 'lmc', trained=False)
    options.add(parser, '--work-dir', type=Path, unset='work_dirs/ablations/CONFIG')
    add = parser.add_argument
    add('--jobs', type=positive_int, default=1, metavar='N', help='concurrent runs (default: %(default)s)')
    add('--gpus', metavar='INDICES', help='GPUs shared by the jobs, e.g. 0,1 (default: all visible ones)')
    add('--submit', choices=('local', 'slurm'), default='local',
        help="'slurm' submits a job per unfinished run with sbatch and ends; options in SBATCH_ARGS (default: "
             '%(default)s)')
    add('--only', metavar='VARIANT:SEED', help='execute this run only; other processes may execute others')
    add('--dry-run', action='store_true', help='only print the state of every run')
    options.add(parser, '--cfg-options')


def list_gpus(indices: str | None) -> list[str]:
    """The GPUs to use: those given, those of the environment, or all."""
    import torch
    indices = indices or os.environ.get('CUDA_VISIBLE_DEVICES', '')
    chosen = [gpu.strip() for gpu in indices.split(',') if gpu.strip()]
    return chosen or [str(index) for index in range(torch.cuda.device_count())]


def command_line(args: argparse.Namespace, work_dir: Path) -> list[str]:
    """The arguments of ``leokit`` with which a job executes a part of this study."""
    words = getattr(args, 'cfg_options_words', [])
    return ['ablate', str(args.config), *(['--cfg-options', *words] if words else []),
            '--work-dir', str(work_dir.resolve())]


def run(args: argparse.Namespace) -> int:
    """Plan, run, compare; the exit status tells whether a signal ended the study early."""
    from leokit.engine import EXIT_STATUS, report_stop
    from leokit.studies import StudyRunner, load_study, plan_runs, select_runs, submit_runs
    study = load_study(args.config, args.cfg_options)
    work_dir = args.work_dir or Path('work_dirs/ablations') / Path(args.config).stem
    runs = plan_runs(study, work_dir)
    chosen = select_runs(runs, args.only)
    if args.dry_run:
        for planned in chosen:
            print(f'{planned.name}: {planned.state}')
        return 0
    if args.submit == 'slurm':
        submit_runs(chosen, command_line(args, work_dir))
        return 0
    runner = StudyRunner(chosen, work_dir, jobs=args.jobs, devices=list_gpus(args.gpus), exclusive=args.only is None,
                         log=lambda line: print(line, flush=True))
    try:
        runner.run()
    finally:  # summarize the finished runs, however the study ended
        with report_lock(work_dir):
            write_report(study, runs, work_dir)
    if runner.stopped_by is None:
        return 0
    report_stop()
    return EXIT_STATUS


@contextmanager
def report_lock(work_dir: Path) -> Iterator[None]:
    """Wait for other processes that write the report, so that the last report has all runs."""
    from leokit.utils.locks import FileLock
    lock = FileLock(work_dir / 'report.lock')
    lock.acquire_within(REPORT_PATIENCE)
    try:
        yield
    finally:
        lock.release()


def write_report(study: 'Study', runs: 'list[Run]', work_dir: Path) -> None:
    """Tables, curves and contact sheet of the runs that are done."""
    from leokit.studies import compare, plot_study, write_results, write_study_sheet
    from leokit.utils import UserError
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
