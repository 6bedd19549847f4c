"""Training engine on MMEngine: exact resuming, plain atomic checkpoints, weight averaging, autocast on any device.

Names are imported when they are first used: loading a trained model needs no part of MMEngine's Runner, which imports
all optimizers that are installed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leokit.engine.build_errors import check_config_keys, explain_build_errors
    from leokit.engine.checkpoint_hook import AtomicCheckpointHook
    from leokit.engine.distributed import LAUNCHERS, leave_process_group
    from leokit.engine.ema_hook import EMAHook
    from leokit.engine.loss_ramp_hook import LossRampHook
    from leokit.engine.loss_watch_hook import LossWatchHook
    from leokit.engine.motion_statistics_hook import MotionStatisticsHook
    from leokit.engine.optim_wrapper import AutocastOptimWrapper
    from leokit.engine.preemption import EXIT_STATUS, report_stop
    from leokit.engine.runner import LeoRunner
    from leokit.engine.sample_image_hook import SampleImageHook
    from leokit.engine.train_loop import ResumableTrainLoop
    from leokit.engine.weight_loading import TRAINING_ONLY, load_weights

__all__ = [
    'AtomicCheckpointHook', 'AutocastOptimWrapper', 'EMAHook', 'EXIT_STATUS', 'LAUNCHERS', 'LeoRunner', 'LossRampHook',
    'LossWatchHook', 'MotionStatisticsHook', 'ResumableTrainLoop', 'SampleImageHook', 'TRAINING_ONLY',
    'check_config_keys', 'explain_build_errors', 'leave_process_group', 'load_weights', 'report_stop',
]

_MODULES = {name: module for module, names in dict(
    build_errors=('check_config_keys', 'explain_build_errors'),
    checkpoint_hook=('AtomicCheckpointHook',),
    distributed=('LAUNCHERS', 'leave_process_group'),
    ema_hook=('EMAHook',),
    loss_ramp_hook=('LossRampHook',),
    loss_watch_hook=('LossWatchHook',),
    motion_statistics_hook=('MotionStatisticsHook',),
    optim_wrapper=('AutocastOptimWrapper',),
    preemption=('EXIT_STATUS', 'report_stop'),
    runner=('LeoRunner',),
    sample_image_hook=('SampleImageHook',),
    train_loop=('ResumableTrainLoop',),
    weight_loading=('TRAINING_ONLY', 'load_weights'),
).items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'leokit.engine.{_MODULES[name]}'), name)
