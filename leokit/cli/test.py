"""Evaluate a checkpoint on the test data of its config, or all of LEO by a config that names the checkpoints.

    leokit test lia_synthetic_64 work_dirs/lia/iter_1000.pth --out results.json
    leokit test work_dirs/lia --out results.json
    leokit test leo_synthetic --work-dir work_dirs/leo_synthetic

The last command generates short and long videos, conditional and unconditional, and evaluates them by the paper's
protocol; run again after an interruption, it continues (docs/generation.md).
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from leokit.cli import options

if TYPE_CHECKING:
    from mmengine.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    options.add_config(parser, 'a model or of LEO', 'leo_synthetic')
    options.add_checkpoint(parser, required=False)
    options.add(parser, '--work-dir', unset='work_dirs/CONFIG')
    options.add_out(parser, 'json')
    options.add(parser, '--launcher', '--cfg-options')


def prepare_config(args: argparse.Namespace) -> 'Config':
    """Read the config and enter the options of the command line."""
    from leokit.inference import is_leo_config
    from leokit.inference.model_source import checkpoint_file, config_and_checkpoint
    from leokit.utils import UserError
    config, checkpoint = config_and_checkpoint(args.config, args.checkpoint, args.cfg_options)
    config.work_dir = options.choose_work_dir(args, config)
    config.launcher = args.launcher
    if not is_leo_config(config):
        if not checkpoint:
            raise UserError(f'{args.config} builds a model, so its checkpoint is needed; pass a checkpoint or a work '
                            'dir')
        config.load_from, config.resume = str(checkpoint_file(checkpoint)), False
    elif args.checkpoint or args.launcher != 'none':
        raise UserError(f'{args.config} names the checkpoints of several models, which are tested in one process; '
                        f'leave {args.checkpoint or "--launcher"} out')
    return config


def test_leo(config: 'Config') -> dict[str, float]:
    """Test the models that a config names, and print the table of results."""
    from mmengine.device import get_device
    from mmengine.registry import init_default_scope

    from leokit.benchmark.leo_benchmark import TABLE
    from leokit.engine import explain_build_errors
    from leokit.inference import load
    from leokit.registry import LOOPS
    from leokit.utils import UserError
    if not config.get('test_cfg'):
        raise UserError(f'{config.filename} has no test_cfg, which describes the benchmark; add the one of '
                        'configs/leo/leo_synthetic.py')
    init_default_scope(config.get('default_scope', 'leokit'))
    leo = load(config, device=get_device(), amp=config.get('amp', False))
    with explain_build_errors(config):
        test = LOOPS.build(config.test_cfg, default_args=dict(
            leo=leo, work_dir=config.work_dir, name=Path(config.filename).stem))
    metrics = test.run()
    print((test.work_dir / TABLE).read_text(), end='')
    return metrics


def run(args: argparse.Namespace) -> None:
    """Evaluate, log, and write the metrics."""
    from leokit.engine import LeoRunner, leave_process_group
    from leokit.inference import is_leo_config
    from leokit.utils.files import write_json
    config = prepare_config(args)
    if is_leo_config(config):
        metrics, first = test_leo(config), True
    else:
        runner = LeoRunner.from_cfg(config)
        try:
            metrics, first = runner.test(), runner.rank == 0
        except BaseException:
            runner.undo_failed_start()
            raise
    if args.out and first:
        write_json(args.out, metrics)
    leave_process_group()
