"""Measure a checkpoint on the test data of a config.

    python tools/test.py configs/lia/lia_synthetic_64.py work_dirs/lia/iter_1000.pth --out results.json
    python tools/test.py configs/lia/lia_synthetic_64.py work_dirs/lia --out results.json
"""

import argparse
import json
import sys
from pathlib import Path

from mmengine.config import Config

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.engine import LAUNCHERS, LeoRunner, leave_process_group  # noqa: E402
from leokit.pipelines.loading import checkpoint_file  # noqa: E402
from leokit.utils import load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options  # noqa: E402
from leokit.utils.files import write_bytes  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', help='the checkpoint to measure, or a work dir: its newest')
    parser.add_argument('--work-dir', help='folder for logs (default: work_dirs/CONFIG)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write the metrics there as well')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none', help='what started several processes')
    add_cfg_options(parser)
    return parser.parse_args()


def prepare_config(args: argparse.Namespace) -> Config:
    """Read the config and enter what the command line says."""
    config = load_config(args.config, args.cfg_options)
    if args.work_dir or not config.get('work_dir'):
        config.work_dir = args.work_dir or f'work_dirs/{Path(args.config).stem}'
    config.launcher = args.launcher
    config.load_from, config.resume = str(checkpoint_file(args.checkpoint)), False
    return config


def main() -> None:
    """Measure, log, and write the metrics."""
    args = parse_args()
    runner = LeoRunner.from_cfg(prepare_config(args))
    metrics = runner.test()
    if args.out and runner.rank == 0:
        write_bytes(args.out, (json.dumps(metrics, indent=2, default=float) + "\n").encode())
    leave_process_group()


if __name__ == '__main__':
    run_tool(main)
