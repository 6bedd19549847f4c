"""Metrics are computed in float64 and carry no gradient, whatever they are given."""

import pytest
import torch

from leokit.metrics import (
    average_content_distance, average_identity_distance, average_keypoint_distance, between_within_distances,
    content_drift, dispersion, diversity, drift, frechet_terms, jitter, l1_distance, motion_code_consistency,
    polynomial_mmd, psnr, recurrence, retrieval_accuracy, ssim)
from leokit.metrics.control_error import control_error
from leokit.metrics.linear_probe import direction_correlations, fit_linear_map, linear_probe, quantity_directions
from leokit.metrics.motion_statistics import jerk
from leokit.metrics.parameter_statistics import mean_frequencies, parameter_correlations, parameter_ranges


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) + 0.1


CASES = {
    average_content_distance: ((2, 5, 3),), content_drift: ((2, 5, 3),), average_identity_distance: ((4, 3), (4, 3)),
    average_keypoint_distance: ((4, 3, 2), (4, 3, 2)), between_within_distances: ((2, 3, 4, 5),),
    retrieval_accuracy: ((3, 4, 5), (3, 5)), motion_code_consistency: ((2, 6, 3), (2, 6, 3)), jerk: ((2, 9, 3),),
    jitter: ((2, 9, 3),), dispersion: ((2, 16, 3),), drift: ((2, 16, 3),), diversity: ((2, 3, 5, 4),),
    recurrence: ((2, 3, 4, 5),), frechet_terms: ((9, 3), (8, 3)), polynomial_mmd: ((9, 3), (8, 3)),
    parameter_ranges: ((2, 9, 3),), parameter_correlations: ((2, 9, 3),), l1_distance: ((2, 3, 12, 12),) * 2,
    psnr: ((2, 3, 12, 12),) * 2, ssim: ((2, 3, 12, 12),) * 2}
FITS = {
    control_error: ((2, 6, 3), (2, 6, 3)), linear_probe: ((9, 3), (9, 2), (8, 3), (8, 2)),
    quantity_directions: ((9, 3), (9, 2)), direction_correlations: ((9, 3), (9, 2)),
    fit_linear_map: ((9, 3), (9, 2)), lambda sequences: mean_frequencies(sequences, 25): ((2, 9, 3),)}


def numbers(result):
    """The tensors and floats of a result."""
    parts = result if isinstance(result, tuple) else (result,)
    return [part for part in parts if not (isinstance(part, torch.Tensor) and part.dtype in (torch.bool, torch.int64))]


@pytest.mark.parametrize('metric', [*CASES, *FITS], ids=lambda metric: metric.__name__)
def test_float32_is_computed_in_float64(metric):
    inputs = [random(*shape, seed=seed) for seed, shape in enumerate({**CASES, **FITS}[metric])]
    expected = numbers(metric(*(values.double() for values in inputs)))
    for value, reference in zip(numbers(metric(*inputs)), expected, strict=True):
        if isinstance(value, torch.Tensor):
            assert value.dtype == torch.float64
        torch.testing.assert_close(torch.as_tensor(value), torch.as_tensor(reference), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize('metric', CASES, ids=lambda metric: metric.__name__)
def test_no_gradient_is_kept(metric):
    inputs = [random(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(CASES[metric])]
    assert not any(value.requires_grad for value in numbers(metric(*inputs)) if isinstance(value, torch.Tensor))
