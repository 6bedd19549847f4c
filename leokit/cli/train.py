"""Train a model.

    leokit train lia_synthetic_64 --work-dir work_dirs/lia
    leokit train work_dirs/lia --resume
    leokit train lia_synthetic_64 --report-to tensorboard          # tensorboard --logdir work_dirs
    leokit train lmdm_synthetic --cfg-options data_root=VIDEOS animator.checkpoint=work_dirs/lia

A config that trains on motion codes has them extracted from the videos first, if they do not exist yet. On a stop
signal (SIGTERM, SIGUSR1) the training saves a checkpoint and exits with status 143.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options
from leokit.cli.imports import collection_paused, import_libraries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmengine.config import Config

# What every training imports sooner or later; optimizers of PyTorch import its compiler.
MODULES = ('leokit.engine', 'leokit.inference', 'leokit.models', 'leokit.datasets', 'torch._dynamo')
# Trackers by the name of their package, as backends of MMEngine's visualizer.
TRACKERS = {
    'tensorboard': dict(type='TensorboardVisBackend'),
    'wandb': dict(type='WandbVisBackend', init_kwargs=dict(project='leokit'),
                  define_metric_cfg=[dict(name='*', step_metric='iter')]),  # the backend does not pass the step on
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a model', 'lia_celebv_256')
    options.add(parser, '--work-dir', unset='work_dirs/CONFIG')
    options.add(parser, '--resume', '--amp', '--compile', '--launcher')
    parser.add_argument('--report-to', nargs='+', choices=tuple(TRACKERS), default=[], metavar='TRACKER',
                        help='also log losses, metrics and sample images of validations to tensorboard or wandb')
    options.add(parser, '--cfg-options')


def report_to(config: 'Config', trackers: 'Sequence[str]') -> None:
    """Add trackers to the visualizer of a config, and the hook that gives them images."""
    import importlib.util

    from leokit.utils import UserError
    for tracker in trackers:
        if importlib.util.find_spec(tracker) is None:
            raise UserError(f"--report-to {tracker} needs the package {tracker}; pip install 'leokit[{tracker}]'")
    visualizer = {'type': 'Visualizer', **(config.get('visualizer') or {})}
    backends = list(visualizer.get('vis_backends') or [dict(type='LocalVisBackend')])
    known = {backend['type'] for backend in backends}
    backends += [dict(TRACKERS[tracker]) for tracker in trackers if TRACKERS[tracker]['type'] not in known]
    config.visualizer = dict(visualizer, vis_backends=backends)
    config.default_hooks = dict(config.get('default_hooks') or {}, samples=dict(type='SampleImageHook'))


def prepare_config(args: argparse.Namespace) -> 'Config':
    """Read the config and enter the options of the command line."""
    from leokit.inference.model_source import config_and_checkpoint, saved_config
    from leokit.utils import UserError
    saved = saved_config(args.config) if Path(args.config).is_dir() else None  # there may be no checkpoint yet
    config, _ = config_and_checkpoint(saved or args.config, None, args.cfg_options)
    config.work_dir = options.choose_work_dir(args, config)
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
    if args.report_to:
        report_to(config, args.report_to)
    return config


def run(args: argparse.Namespace) -> int:
    """Train; the exit status tells whether a signal ended the training early."""
    import_libraries(*MODULES)
    from leokit.engine import EXIT_STATUS, LeoRunner, leave_process_group, report_stop
    from leokit.inference import ensure_codes
    with collection_paused():
        runner = LeoRunner.from_cfg(prepare_config(args))
    try:
        ensure_codes(runner.cfg)  # after the runner is built, so that mistakes in the config are reported first
        runner.train()
    except BaseException:
        runner.undo_failed_start()
        raise
    leave_process_group()
    if getattr(runner.train_loop, 'stopped_by', None) is None:
        return 0
    report_stop()
    return EXIT_STATUS
