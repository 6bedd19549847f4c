"""Training engine on MMEngine: exact resuming, plain atomic checkpoints, weight averaging, autocast on any device."""

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
