"""Metrics: pure functions on features, pixels and motion codes, and the BaseMetric classes that apply them."""

from leokit.metrics.acd import average_content_distance, content_drift
from leokit.metrics.akd_aed import average_identity_distance, average_keypoint_distance
from leokit.metrics.disentanglement import CodeAgreement, FactorDistances, code_agreement, factor_distances, recognition
from leokit.metrics.fvd import frechet_distance, frechet_terms
from leokit.metrics.kvd import kernel_distance, polynomial_mmd
from leokit.metrics.long_motion import long_motion, recurrence, relative_long_motion
from leokit.metrics.motion_statistics import diversity, drift, jerk, jitter, boundary_jerk_ratio, dispersion
from leokit.metrics.perceptual_distance import build_lpips, lpips_distance, perceptual_distance
from leokit.metrics.psnr_ssim import l1_distance, psnr, ssim
from leokit.metrics.warping_error import VideoFlow, layer_warping_error, video_flow, warping_error

__all__ = [
    'CodeAgreement', 'FactorDistances', 'VideoFlow', 'average_content_distance',
    'average_identity_distance', 'average_keypoint_distance', 'build_lpips', 'code_agreement', 'content_drift',
    'diversity', 'drift', 'factor_distances', 'frechet_distance', 'frechet_terms',
    'jerk', 'jitter', 'kernel_distance', 'l1_distance', 'layer_warping_error', 'long_motion', 'lpips_distance',
    'perceptual_distance', 'polynomial_mmd', 'psnr', 'recognition', 'recurrence', 'relative_long_motion',
    'boundary_jerk_ratio', 'dispersion', 'ssim', 'video_flow', 'warping_error',
]
