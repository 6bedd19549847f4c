"""Inputs of a wrong shape are refused by name: broadcasting would give a number that means something else."""

import pytest
import torch

from leokit.metrics import (
    average_keypoint_distance, average_identity_distance, between_within_distances, boundary_jerk_ratio,
    content_drift, diversity, drift, frechet_distance, jerk, kernel_distance, long_motion, motion_code_consistency,
    perceptual_distance, polynomial_mmd, psnr, recurrence, relative_long_motion, retrieval_accuracy, ssim)
from leokit.metrics.expressions import expression
from leokit.metrics.linear_probe import direction_correlations, fit_linear_map, linear_probe, quantity_directions
from leokit.metrics.parameter_statistics import mean_frequencies, parameter_correlations, parameter_ranges


def zeros(*shape):
    return torch.zeros(shape)


# function, arguments of the right rank but one, name and expected shape of that one
WRONG = [
    (diversity, (zeros(3, 4, 5),), r'sequences .*\(\*, \*, \*, \*\)'),
    (jerk, (zeros(8, 5),), r'sequences .*\(\*, \*, \*\)'),
    (drift, (zeros(16, 5),), r'sequences .*\(\*, \*, \*\)'),
    (long_motion, (zeros(64, 5), [8]), r'sequences .*\(\*, \*, \*\)'),
    (relative_long_motion, (zeros(2, 64, 5), zeros(64, 5), [8]), r'real .*\(\*, \*, \*\)'),
    (recurrence, (zeros(2, 8, 5),), r'parts .*\(\*, \*, \*, \*\)'),
    (between_within_distances, (zeros(2, 3, 4),), r'features .*\(\*, \*, \*, \*\)'),
    (retrieval_accuracy, (zeros(2, 3), zeros(2, 3)), r'features .*\(\*, \*, \*\)'),
    (retrieval_accuracy, (zeros(2, 3, 4), zeros(2, 5)), r'references .*\(2, 4\)'),
    (retrieval_accuracy, (zeros(2, 3, 4), zeros(1, 4)), r'references .*\(2, 4\)'),
    (motion_code_consistency, (zeros(2, 3), zeros(2, 3)), r'target .*\(\*, \*, \*\)'),
    (motion_code_consistency, (zeros(2, 3, 4), zeros(1, 3, 4)), r'measured .*\(2, 3, 4\)'),
    (fit_linear_map, (zeros(6), zeros(6, 1)), r'codes .*\(\*, \*\)'),
    (fit_linear_map, (zeros(6, 2), zeros(6)), r'quantities .*\(6, \*\)'),
    (fit_linear_map, (zeros(6, 2), zeros(1, 3)), r'quantities .*\(6, \*\)'),
    (linear_probe, (zeros(6, 2), zeros(5, 1), zeros(4, 2), zeros(4, 1)), r'train_targets .*\(6, \*\)'),
    (linear_probe, (zeros(6, 2), zeros(6, 1), zeros(4, 3), zeros(4, 1)), r'test_inputs .*\(\*, 2\)'),
    (linear_probe, (zeros(6, 2), zeros(6, 1), zeros(4, 2), zeros(1, 1)), r'test_targets .*\(4, 1\)'),
    (linear_probe, (zeros(6, 2), zeros(6, 3), zeros(4, 2), zeros(4, 1)), r'test_targets .*\(4, 3\)'),
    (quantity_directions, (zeros(6), zeros(6, 1)), r'codes .*\(\*, \*\)'),
    (quantity_directions, (zeros(6, 2), zeros(6)), r'quantities .*\(6, \*\)'),
    (direction_correlations, (zeros(6), zeros(6, 1)), r'codes .*\(\*, \*\)'),
    (direction_correlations, (zeros(6, 2), zeros(6)), r'quantities .*\(6, \*\)'),
    (polynomial_mmd, (zeros(6), zeros(6, 2)), r'features_a .*\(\*, \*\)'),
    (polynomial_mmd, (zeros(6, 2), zeros(6, 3)), r'features_b .*\(\*, 2\)'),
    (kernel_distance, (zeros(6, 2), zeros(6, 1)), r'features_b .*\(\*, 2\)'),
    (frechet_distance, (zeros(6), zeros(3, 6)), r'features_a .*\(\*, \*\)'),
    (frechet_distance, (zeros(6, 2), zeros(6, 1)), r'features_b .*\(\*, 2\)'),
    (psnr, (zeros(3, 8, 8), zeros(3, 8, 8)), r'prediction .*\(\*, \*, \*, \*\)'),
    (ssim, (zeros(2, 3, 16, 16), zeros(1, 3, 16, 16)), r'target .*\(2, 3, 16, 16\)'),
    (expression, (zeros(68, 2),), r'landmarks .*\(\*, 68, 2\)'),
    (expression, (zeros(1, 5, 2),), r'landmarks .*\(\*, 68, 2\)'),
    (average_keypoint_distance, (zeros(68, 2), zeros(68, 2)), r'prediction .*\(\*, \*, 2\)'),
    (average_keypoint_distance, (zeros(4, 68, 2), zeros(1, 68, 2)), r'target .*\(4, 68, 2\)'),
    (average_identity_distance, (zeros(4), zeros(4)), r'prediction .*\(\*, \*\)'),
    (average_identity_distance, (zeros(4, 8), zeros(1, 8)), r'target .*\(4, 8\)'),
    (content_drift, (zeros(4, 8),), r'features .*\(\*, \*, \*\)'),
    (perceptual_distance, (torch.nn.Identity(), zeros(2, 3, 8, 8), zeros(1, 3, 8, 8)), r'target .*\(2, 3, 8, 8\)'),
    (parameter_ranges, (zeros(8, 5),), r'sequences .*\(\*, \*, \*\)'),
    (parameter_correlations, (zeros(8, 5),), r'sequences .*\(\*, \*, \*\)'),
    (mean_frequencies, (zeros(8, 5), 25.0), r'sequences .*\(\*, \*, \*\)'),
    (boundary_jerk_ratio, (zeros(16, 5), [8]), r'sequences .*\(\*, \*, \*\)'),
]


@pytest.mark.parametrize('function, arguments, message', WRONG)
def test_wrong_shapes_are_named(function, arguments, message):
    with pytest.raises(ValueError, match=message.replace(' .*', ' must have shape ')):
        function(*arguments)
