"""Measure a checkpoint on the test data of a config, or all of LEO by a config that names its checkpoints.

    python tools/test.py configs/lia/lia_synthetic_64.py work_dirs/lia/iter_1000.pth --out results.json
    python tools/test.py configs/lia/lia_synthetic_64.py work_dirs/lia --out results.json
    python tools/test.py configs/leo/leo_synthetic.py --work-dir work_dirs/leo_synthetic

The last one makes short and long videos, of drawn and of given first frames, and measures them as the paper does; given
again, it goes on where it stopped (docs/generation.md).
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import init_default_scope

sys.path.append(str(Path(__file__).resolve().parents[1]))  # a clone works without installing; what is installed wins

from leokit.engine import LAUNCHERS, LeoRunner, explain_build_errors, leave_process_group  # noqa: E402
from leokit.inference import LEO, names_models  # noqa: E402
from leokit.benchmark.leo_benchmark import TABLE  # noqa: E402
from leokit.inference.loading import checkpoint_file  # noqa: E402
from leokit.registry import LOOPS  # noqa: E402
from leokit.utils import UserError, load_config, run_tool  # noqa: E402
from leokit.utils.arguments import add_cfg_options, output_file  # noqa: E402
from leokit.utils.files import write_json  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', nargs='?', help='the checkpoint to measure, or a work dir: its newest; '
                                                      'not for a config that names its checkpoints')
    parser.add_argument('--work-dir', help='folder for logs (default: work_dirs/CONFIG)')
    parser.add_argument('--out', type=output_file, metavar='FILE.json', help='write the metrics there as well')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none', help='what started several processes')
    add_cfg_options(parser)
    return parser.parse_args()


def prepare_config(args: argparse.Namespace) -> Config:
    """Read the config and enter what the command line says."""
    config = load_config(args.config, args.cfg_options)
    if args.work_dir or not config.get('work_dir'):
        config.work_dir = args.work_dir or f'work_dirs/{Path(args.config).stem}'
    config.launcher = args.launcher
    if not names_models(config):
        if not args.checkpoint:
            raise UserError(f'{args.config} builds a model, so its checkpoint is needed; name it, or its work dir')
        config.load_from, config.resume = str(checkpoint_file(args.checkpoint)), False
    elif args.checkpoint or args.launcher != 'none':
        raise UserError(f'{args.config} names the checkpoints of several models, which are tested in one process; '
                        f'leave {args.checkpoint or "--launcher"} out')
    return config


def test_leo(config: Config) -> dict[str, float]:
    """Test the models that a config names."""
    init_default_scope(config.get('default_scope', 'leokit'))
    leo = LEO.from_config(config, get_device(), amp=config.get('amp', False))
    with explain_build_errors(config):
        test = LOOPS.build(config.test_cfg, default_args=dict(
            leo=leo, work_dir=config.work_dir, name=Path(config.filename).stem))
    metrics = test.run()
    print((test.work_dir / TABLE).read_text(), end='')
    return metrics


def main() -> None:
    """Measure, log, and write the metrics."""
    args = parse_args()
    config = prepare_config(args)
    if names_models(config):
        metrics, first = test_leo(config), True
    else:
        runner = LeoRunner.from_cfg(config)
        metrics, first = runner.test(), runner.rank == 0
    if args.out and first:
        write_json(args.out, metrics)
    leave_process_group()


if __name__ == '__main__':
    run_tool(main)
