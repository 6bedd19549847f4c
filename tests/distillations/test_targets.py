"""Targets of the distillations against the exact flow of a Gaussian."""

import pytest
import torch
from distillations.gaussian import MEAN, STD, exact_denoiser, flow, levels
from support.signatures import defaults

from leokit.distillations import ConsistencyDistillation, ProgressiveDistillation, velocity_between
from leokit.noise_schedulers import (
    CosineNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler, Prediction)
from leokit.samplers import DDIMSampler
from leokit.utils import UserError

TEACHER = dict(checkpoint='teacher')
SCHEDULERS = [FlowMatchingScheduler(1000), CosineNoiseScheduler(1000), LinearNoiseScheduler(1000)]


def samples(scheduler, t, std=STD, seed=0):
    """Noisy samples of the exact marginals, float64, shape (len(t), 3)."""
    noise = torch.randn(2, len(t), 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    signal, level = levels(scheduler, t, noise[0])
    return signal * (MEAN + std * noise[0]) + level * noise[1]


def landing(scheduler, velocity, x, t, t_end):
    """Where a DDIM step with this velocity ends, by the process's own conversion of v."""
    prediction = Prediction(scheduler.x0_from_v(x, velocity, t), scheduler.eps_from_v(x, velocity, t))
    return DDIMSampler().step(x, prediction, t, t_end, scheduler, noise_source=None, history=None)


@pytest.mark.parametrize('scheduler', SCHEDULERS)
def test_a_step_with_the_velocity_between_two_points_joins_them(scheduler):
    t, t_end = torch.tensor([999, 999, 600, 10]), torch.tensor([-1, 500, 599, -1])
    x, x_end = samples(scheduler, t), samples(scheduler, t_end, seed=1)
    velocity = velocity_between(x, x_end, t, t_end, scheduler)
    assert torch.allclose(landing(scheduler, velocity, x, t, t_end), x_end, atol=1e-8)


def test_on_straight_paths_the_velocity_between_two_points_is_their_difference_quotient():
    scheduler, t, t_end = SCHEDULERS[0], torch.tensor([999, 749]), torch.tensor([-1, 249])
    x, x_end = samples(scheduler, t), samples(scheduler, t_end, seed=1)
    expected = (x - x_end) / torch.tensor([[1.0], [0.5]])
    assert torch.allclose(velocity_between(x, x_end, t, t_end, scheduler), expected, atol=1e-12)


@pytest.mark.parametrize('scheduler', SCHEDULERS)
@pytest.mark.parametrize('num_steps', [1, 4])
def test_progressive_targets_lead_to_the_teachers_flow(scheduler, num_steps):
    """The error of the teacher's DDIM steps falls in proportion to their length."""
    errors = []
    for teacher_steps in (30, 60):
        method = ProgressiveDistillation(TEACHER, num_steps=num_steps, teacher_steps=teacher_steps)
        times = method.time_table(scheduler).unbind(1)
        t, t_end = times[0], times[-1]
        assert t[0] == 999 and t_end[-1] == -1 and torch.equal(t[1:], t_end[:-1])
        assert torch.equal(t, torch.tensor([t for t, _ in DDIMSampler(num_steps).steps(scheduler)]))
        x = samples(scheduler, t)
        target = method.target(exact_denoiser(scheduler), None, scheduler, x, times)
        errors.append((landing(scheduler, target, x, t, t_end) - flow(scheduler, x, t, t_end)).abs().max())
    assert errors[1] < 0.05 and 0.4 < errors[1] / errors[0] < 0.6


@pytest.mark.parametrize('scheduler', SCHEDULERS)
def test_progressive_targets_are_exact_for_a_single_point(scheduler):
    """All trajectories of a point mass are single DDIM steps, so the target is the velocity to that point."""
    method = ProgressiveDistillation(TEACHER, num_steps=3, teacher_steps=2)
    times = method.time_table(scheduler).unbind(1)
    x = samples(scheduler, times[0], std=0.0)
    target = method.target(exact_denoiser(scheduler, std=0.0), None, scheduler, x, times)
    signal, level = levels(scheduler, times[0], x)
    eps = (x - signal * MEAN) / level
    assert torch.allclose(target, scheduler.velocity(torch.full_like(x, MEAN), eps, times[0]), atol=1e-7)


@pytest.mark.parametrize('scheduler', SCHEDULERS[:2])
@pytest.mark.parametrize('segments', [1, 4])
def test_the_exact_flow_is_the_fixed_point_of_consistency(scheduler, segments):
    method = ConsistencyDistillation(TEACHER, segments=segments, num_scales=500)
    times = method.time_table(scheduler).unbind(1)
    t, t_next, t_end = times
    assert len(t) == 500 and len(t_end.unique()) == segments and bool((t_next >= t_end).all())
    x = samples(scheduler, t)

    def student(x, time):
        # the prediction whose DDIM step from ``time`` ends where the exact flow does
        time_end = torch.where(time == t, t_end, torch.where(t_next > t_end, t_end, time - 1))
        end = flow(scheduler, x, time, time_end)
        (signal, level), (signal_end, level_end) = levels(scheduler, time, x), levels(scheduler, time_end, x)
        x0 = (end - level_end / level * x) / (signal_end - level_end / level * signal)
        return Prediction(x0, (x - signal * x0) / level)

    target = method.target(exact_denoiser(scheduler), student, scheduler, x, times)
    error = (landing(scheduler, target, x, t, t_end) - flow(scheduler, x, t, t_end)).abs()
    assert error.max() < 2e-3  # of one teacher step of length 1/500
    assert torch.isfinite(target).all()


def test_the_last_step_of_a_segment_has_the_teachers_point():
    scheduler = SCHEDULERS[0]
    method = ConsistencyDistillation(TEACHER, segments=2, num_scales=4)
    t, t_next, t_end = times = method.time_table(scheduler).unbind(1)
    assert t.tolist() == [999, 749, 499, 249] and t_end.tolist() == [499, 499, -1, -1]
    x = samples(scheduler, t)

    def wrong(x, t):
        assert t.min() >= 0  # the network is not defined at the data
        return Prediction(x + 5, x - 5)

    target = method.target(exact_denoiser(scheduler), wrong, scheduler, x, times)
    teacher = exact_denoiser(scheduler)(x, t)
    close = torch.isclose(target, teacher.eps - teacher.x0, atol=1e-9).all(1)
    assert close.tolist() == [False, True, False, True]


@pytest.mark.parametrize('build, message', [
    (lambda: ProgressiveDistillation({}, num_steps=4), 'teacher must be dict'),
    (lambda: ProgressiveDistillation(TEACHER, num_steps=0), 'num_steps of 1 or more'),
    (lambda: ConsistencyDistillation(TEACHER, segments=3, num_scales=64), 'multiple of segments'),
    (lambda: ProgressiveDistillation(TEACHER, num_steps=8, teacher_steps=2).time_table(FlowMatchingScheduler(10)),
     'do not fit 10 diffusion times'),
    (lambda: ConsistencyDistillation(TEACHER, num_scales=64).time_table(FlowMatchingScheduler(10)), 'more than the 10'),
])
def test_impossible_settings_are_refused(build, message):
    with pytest.raises(UserError, match=message):
        build()


def test_the_limits_of_the_settings():
    """The defaults are those of the documentation; the smallest and the largest number of steps are allowed."""
    assert defaults(ProgressiveDistillation) == dict(teacher_steps=2)
    assert defaults(ConsistencyDistillation) == dict(segments=1, num_scales=64)
    times = FlowMatchingScheduler(4)
    assert ProgressiveDistillation(TEACHER, num_steps=1).time_table(times).tolist() == [[3, 1, -1]]
    assert ProgressiveDistillation(TEACHER, num_steps=2).time_table(times).tolist() == [[3, 2, 1], [1, 0, -1]]
    assert ConsistencyDistillation(TEACHER, num_scales=2).time_table(times).tolist() == [[3, 1, -1], [1, -1, -1]]
    assert ConsistencyDistillation(TEACHER, segments=2, num_scales=4).time_table(times).tolist() == [
        [3, 2, 1], [2, 1, 1], [1, 0, -1], [0, -1, -1]]
    for options in (dict(segments=0), dict(segments=2, num_scales=2), dict(num_scales=1)):
        with pytest.raises(UserError, match='multiple of segments'):
            ConsistencyDistillation(TEACHER, **options)
    with pytest.raises(UserError, match='teacher_steps of 2 or more'):
        ProgressiveDistillation(TEACHER, num_steps=1, teacher_steps=1)
