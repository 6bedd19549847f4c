"""Train a model.

    leokit train lia_synthetic_64 --work-dir work_dirs/lia
    leokit train lia_synthetic_64 --work-dir work_dirs/lia --resume
    leokit train lmdm_synthetic --cfg-options data_root=VIDEOS animator.checkpoint=work_dirs/lia

A config that trains on motion codes has them extracted from the videos first, if they do not exist yet. On a stop
signal (SIGTERM, SIGUSR1) the training saves a checkpoint and exits with status 143.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options

if TYPE_CHECKING:
    from mmengine.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a model', 'lia_celebv_256')
    options.add(parser, '--work-dir', unset='work_dirs/CONFIG')
    options.add(parser, '--resume', '--amp', '--compile', '--launcher', '--cfg-options')


def prepare_config(args: argparse.Namespace) -> 'Config':
    """Read the config and enter the options of the command line."""
    from leokit.utils import UserError, load_config
    config = load_config(args.config, args.cfg_options)
    if args.work_dir or not config.get('work_dir'):
        config.work_dir = args.work_dir or f'work_dirs/{Path(args.config).stem}'
    config.launcher = args.launcher
    if args.resume:
        config.resume = args.resume
    if args.amp:
        wrapper = config.get('optim_wrapper') or {}
        if wrapper.get('type', 'OptimWrapper') not in ('OptimWrapper', 'AutocastOptimWrapper'):
            raise UserError(f'--amp cannot be combined with optim_wrapper.type={wrapper["type"]!r}; '
                            f"use 'AutocastOptimWrapper'")
        wrapper.update(type='AutocastOptimWrapper', dtype='bfloat16')
    if args.compile and not config.get('compile'):
        config.compile = True
    return config


def run(args: argparse.Namespace) -> int:
    """Train; the exit status tells whether a signal ended the training early."""
    from leokit.engine import EXIT_STATUS, LeoRunner, leave_process_group, report_stop
    from leokit.inference import ensure_codes
    runner = LeoRunner.from_cfg(prepare_config(args))
    ensure_codes(runner.cfg)  # after the runner is built, so that mistakes in the config are reported first
    runner.train()
    leave_process_group()
    if getattr(runner.train_loop, 'stopped_by', None) is None:
        return 0
    report_stop()
    return EXIT_STATUS
