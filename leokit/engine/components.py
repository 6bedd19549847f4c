"""Everything of the engine that is registered: importing this module makes it known to the registries."""

from leokit.engine.checkpoint_hook import AtomicCheckpointHook
from leokit.engine.ema_hook import EMAHook
from leokit.engine.iter_timer_hook import IterTimerHook
from leokit.engine.loss_ramp_hook import LossRampHook
from leokit.engine.loss_watch_hook import LossWatchHook
from leokit.engine.motion_statistics_hook import MotionStatisticsHook
from leokit.engine.optim_wrapper import AutocastOptimWrapper
from leokit.engine.sample_image_hook import SampleImageHook
from leokit.engine.train_loop import ResumableTrainLoop

__all__ = ['AtomicCheckpointHook', 'AutocastOptimWrapper', 'EMAHook', 'IterTimerHook', 'LossRampHook',
           'LossWatchHook', 'MotionStatisticsHook', 'ResumableTrainLoop', 'SampleImageHook']
