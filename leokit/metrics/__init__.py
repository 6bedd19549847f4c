"""Metrics as pure functions of features, pixels and motion codes; :mod:`leokit.evaluation` applies them."""

from leokit.metrics.acd import average_content_distance, content_drift
from leokit.metrics.akd_aed import average_identity_distance, average_keypoint_distance
from leokit.metrics.disentanglement import (
    BetweenWithinDistances, MotionCodeConsistency, between_within_distances, motion_code_consistency,
    retrieval_accuracy)
from leokit.metrics.fvd import frechet_distance, frechet_terms
from leokit.metrics.kvd import kernel_distance, polynomial_mmd
from leokit.metrics.long_motion import long_motion, recurrence, relative_long_motion
from leokit.metrics.motion_statistics import boundary_jerk_ratio, dispersion, diversity, drift, jerk, jitter
from leokit.metrics.perceptual_distance import build_lpips, lpips_distance, perceptual_distance
from leokit.metrics.psnr_ssim import l1_distance, psnr, ssim
from leokit.metrics.warping_error import VideoFlow, layer_warping_error, video_flow, warping_error

__all__ = [
    'BetweenWithinDistances', 'MotionCodeConsistency', 'VideoFlow', 'average_content_distance',
    'average_identity_distance', 'average_keypoint_distance', 'between_within_distances', 'boundary_jerk_ratio',
    'build_lpips', 'content_drift', 'dispersion', 'diversity', 'drift', 'frechet_distance', 'frechet_terms', 'jerk',
    'jitter', 'kernel_distance', 'l1_distance', 'layer_warping_error', 'long_motion', 'lpips_distance',
    'motion_code_consistency', 'perceptual_distance', 'polynomial_mmd', 'psnr', 'recurrence', 'relative_long_motion',
    'retrieval_accuracy', 'ssim', 'video_flow', 'warping_error',
]
