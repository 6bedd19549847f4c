"""Metrics: pure functions on features, pixels and motion codes, and the BaseMetric classes that apply them."""

from leokit.metrics.animation_metric import AnimationMetric
from leokit.metrics.average_content_metric import AverageContentDistance
from leokit.metrics.code_distribution_metric import CodeDistribution
from leokit.metrics.coherence import VideoFlow, layer_warping_error, video_flow, warping_error
from leokit.metrics.content import average_content_distance, content_drift
from leokit.metrics.disentanglement import (
    CodeAgreement, FactorDistances, code_agreement, factor_distances, recognition)
from leokit.metrics.frechet import frechet_distance, frechet_distance_from_statistics, frechet_terms
from leokit.metrics.kernel import kernel_distance, polynomial_mmd
from leokit.metrics.keypoints import average_identity_distance, average_keypoint_distance
from leokit.metrics.long_motion import long_motion, recurrence, relative_long_motion
from leokit.metrics.motion import diversity, drift, jerk, jitter, seam_jerk_ratio, spread
from leokit.metrics.motion_statistics_metric import MotionStatistics
from leokit.metrics.perceptual import build_lpips, lpips_distance, perceptual_distance
from leokit.metrics.pixel import l1_distance, psnr, ssim
from leokit.metrics.reconstruction_metric import ReconstructionMetric
from leokit.metrics.start_frame_metric import StartFrameAgreement, chance_error, mean_distance_between_people
from leokit.metrics.statistics import FeatureStatistics
from leokit.metrics.video_distance_metric import FrechetVideoDistance, KernelVideoDistance, VideoDistances
from leokit.metrics.temporal_features import frame_features, temporal_summary, video_features

__all__ = [
    'AnimationMetric', 'AverageContentDistance', 'CodeAgreement', 'CodeDistribution', 'FactorDistances',
    'FeatureStatistics', 'FrechetVideoDistance', 'KernelVideoDistance', 'MotionStatistics', 'ReconstructionMetric',
    'StartFrameAgreement', 'VideoDistances', 'VideoFlow', 'average_content_distance', 'average_identity_distance',
    'average_keypoint_distance', 'build_lpips', 'chance_error', 'code_agreement', 'content_drift', 'diversity', 'drift',
    'factor_distances', 'frame_features', 'frechet_distance', 'frechet_distance_from_statistics', 'frechet_terms',
    'jerk', 'jitter', 'kernel_distance', 'l1_distance', 'layer_warping_error', 'long_motion', 'lpips_distance',
    'mean_distance_between_people', 'perceptual_distance', 'polynomial_mmd', 'psnr', 'recognition', 'recurrence',
    'relative_long_motion', 'seam_jerk_ratio', 'spread', 'ssim', 'temporal_summary', 'video_features', 'video_flow',
    'warping_error',
]
