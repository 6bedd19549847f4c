"""Every solver of a few steps on Gaussian data: the marginal after n steps follows from its definition by arithmetic.

On the straight path ``x_s = (1 - s) x0 + s eps`` with ``x0 ~ N(m, S^2)`` the best denoiser is linear, so a solver with
times ``s = 1, (n-1)/n, ..., 0`` multiplies the deviation from the mean ``(1 - s) m`` by one number per step. The data
then are ``N(m, r^2)`` with the product r of these numbers; as n grows, r tends to S.
"""

import math

import pytest
import torch

from leokit.noise_schedulers import FlowMatchingScheduler, Prediction
from leokit.samplers import DDIMSampler, DPMSolverPlusPlusSampler, EulerSampler, HeunSampler, MidpointSampler

MEAN, STD = 0.3, 0.5
TIMES = 240  # divisible by the numbers of steps, and by twice them: midpoints are times, too
STEPS = [1, 2, 3, 5, 8, 15]


def clean(s):
    """Deviation of E[x0 | x_s] from the mean, for a deviation of 1 of x_s."""
    return (1 - s) * STD ** 2 / ((1 - s) ** 2 * STD ** 2 + s ** 2)


def slope(s):
    """``dx/ds = eps - x0`` in the same unit."""
    return (1 - (1 - s) * clean(s)) / s - clean(s)


def euler(n):
    ratio = 1.0
    for k in range(n, 0, -1):
        ratio *= 1 - slope(k / n) / n
    return ratio


def ddim(n):
    ratio = 1.0
    for k in range(n, 0, -1):
        s, end = k / n, (k - 1) / n
        x0 = clean(s)
        ratio *= (1 - end) * x0 + end * (1 - (1 - s) * x0) / s
    return ratio


def midpoint(n):
    ratio = 1.0
    for k in range(n, 0, -1):
        halfway = 1 - slope(k / n) / (2 * n)
        ratio *= 1 - slope((k - 0.5) / n) * halfway / n
    return ratio


def heun(n):
    ratio = 1.0
    for k in range(n, 0, -1):
        s, end = k / n, (k - 1) / n
        predicted = 1 - slope(s) / n
        ratio *= 1 - (slope(s) + slope(end) * predicted) / (2 * n) if end else predicted  # the last step is Euler's
    return ratio


def dpm_solver(n):
    """Algorithm 2 of arXiv 2211.01095: lambda = log((1 - s) / s); first and last step of first order."""
    x, before, h_before = 1.0, None, None
    for k in range(n, 0, -1):
        s, end = k / n, (k - 1) / n
        x0 = clean(s) * x
        if end == 0:
            return x0  # sigma is 0 there, and alpha 1
        h = math.inf if s == 1 else math.log((1 - end) / end) - math.log((1 - s) / s)
        data = x0
        if before is not None and not math.isinf(h_before):
            r = h_before / h
            data = (1 + 1 / (2 * r)) * x0 - before / (2 * r)
        x = end / s * x - (1 - end) * (math.exp(-h) - 1) * data
        before, h_before = x0, h


@pytest.mark.parametrize('steps', STEPS)
@pytest.mark.parametrize('kind, ratio', [
    (EulerSampler, euler), (DDIMSampler, ddim), (MidpointSampler, midpoint), (HeunSampler, heun),
    (DPMSolverPlusPlusSampler, dpm_solver)])
def test_the_marginal_after_any_number_of_steps(kind, ratio, steps):
    scheduler = FlowMatchingScheduler(TIMES)

    def denoise(x, t):
        s = (t + 1).double()[:, None] / TIMES
        x0 = MEAN + (1 - s) * STD ** 2 / ((1 - s) ** 2 * STD ** 2 + s ** 2) * (x - (1 - s) * MEAN)
        return Prediction(x0, (x - (1 - s) * x0) / s)

    noise = torch.tensor([[-2.0], [0.0], [0.5], [3.0]], dtype=torch.float64)
    found = kind(steps, timestep_spacing='trailing').sample(denoise, noise, scheduler)
    assert torch.allclose(found, MEAN + ratio(steps) * noise, rtol=0, atol=1e-9)


@pytest.mark.parametrize('ratio, tolerance', [
    (euler, 5e-3), (ddim, 5e-3), (midpoint, 5e-4), (heun, 5e-4), (dpm_solver, 1e-3)])
def test_the_arithmetic_tends_to_the_data(ratio, tolerance):
    assert abs(ratio(240) - STD) < tolerance < abs(ratio(2) - STD)
