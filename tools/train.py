"""Train a model.

    python tools/train.py configs/lia/lia_synthetic_64.py --work-dir work_dirs/lia
    python tools/train.py configs/lia/lia_synthetic_64.py --work-dir work_dirs/lia --resume
    python tools/train.py configs/leo/lmdm_synthetic.py --cfg-options data_root=VIDEOS animator.checkpoint=work_dirs/lia

A config that trains on motion codes has them made of the videos first, if they are not there yet.
On a stop signal (SIGTERM, SIGUSR1) it writes a checkpoint and leaves with status 143.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.engine import EXIT_STATUS, LAUNCHERS, LeoRunner, leave_process_group  # noqa: E402
from leokit.inference import ensure_codes  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='the config file')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/CONFIG)')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='go on from CHECKPOINT, a file or a work dir; without one, from the newest in the work '
                             'dir, if there is any')
    parser.add_argument('--amp', action='store_true', help='train in bfloat16 mixed precision')
    parser.add_argument('--compile', action='store_true', help='compile the heavy parts of the model')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none', help='what started several processes')
    add_cfg_options(parser)
    return parser.parse_args()


def prepare_config(args: argparse.Namespace) -> Config:
    """Read the config and enter what the command line says."""
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


def main() -> int:
    """Train; the exit status says whether a signal ended the training early."""
    runner = LeoRunner.from_cfg(prepare_config(parse_args()))
    ensure_codes(runner.cfg)  # now: mistakes in the config should not wait for it
    runner.train()
    leave_process_group()
    return EXIT_STATUS if getattr(runner.train_loop, 'stopped_by', None) else 0


if __name__ == '__main__':
    run_tool(main)
