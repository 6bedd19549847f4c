"""MMEngine metrics (`BaseMetric`) for validation and testing, built on leokit.metrics and leokit.evaluation."""

from leokit.evaluation.runner_metrics.acd_metric import AverageContentDistance
from leokit.evaluation.runner_metrics.animation_metric import AnimationMetric
from leokit.evaluation.runner_metrics.code_distribution_metric import CodeDistribution
from leokit.evaluation.runner_metrics.frame_distance_metric import FrameDistanceMetric
from leokit.evaluation.runner_metrics.motion_statistics_metric import MotionStatistics
from leokit.evaluation.runner_metrics.reconstruction_metric import ReconstructionMetric
from leokit.evaluation.runner_metrics.start_frame_metric import (
    StartFrameAgreement, chance_error, mean_distance_between_identities)
from leokit.evaluation.runner_metrics.video_distance_metric import VideoDistances

__all__ = [
    'AnimationMetric', 'AverageContentDistance', 'CodeDistribution', 'FrameDistanceMetric', 'MotionStatistics',
    'ReconstructionMetric', 'StartFrameAgreement', 'VideoDistances', 'chance_error', 'mean_distance_between_identities',
]
