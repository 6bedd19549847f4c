"""What every kind of noise scheduler has in common; inputs of a wrong shape are refused by name."""

import pytest
import torch

from leokit.noise_schedulers import (
    DATA_TIME, CosineNoiseScheduler, EDMNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler)

SCHEDULERS = [LinearNoiseScheduler(10), CosineNoiseScheduler(10), FlowMatchingScheduler(10), EDMNoiseScheduler(10)]
X = torch.zeros(2, 3, 4)
T = torch.tensor([1, 5])


@pytest.mark.parametrize('scheduler', SCHEDULERS, ids=lambda scheduler: type(scheduler).__name__)
@pytest.mark.parametrize('call, message', [
    (lambda s: s.add_noise(X, X[:1], T), r'eps must have shape \(2, 3, 4\)'),
    (lambda s: s.add_noise(X, X, T[:1]), r't must have shape \(2\)'),
    (lambda s: s.interpret('v', X[:, :1], X, T), r'output must have shape \(2, 3, 4\)'),
    (lambda s: s.interpret('v', X, X, T[:, None]), r't must have shape \(2\)'),
    (lambda s: s.signal_level(T[:, None]), r't must have shape \(\*\)')])
def test_wrong_shapes_are_named(scheduler, call, message):
    with pytest.raises(ValueError, match=message):
        call(scheduler)


@pytest.mark.parametrize('scheduler', SCHEDULERS, ids=lambda scheduler: type(scheduler).__name__)
def test_tables_have_one_entry_per_time_and_are_not_in_checkpoints(scheduler):
    assert scheduler.num_train_timesteps == 10 and scheduler.state_dict() == {}
    assert all(len(table) == 10 and table.dtype == torch.float64 for table in scheduler.buffers())


@pytest.mark.parametrize('scheduler', SCHEDULERS, ids=lambda scheduler: type(scheduler).__name__)
def test_the_data_is_the_time_before_the_first(scheduler):
    assert DATA_TIME == -1
    t = torch.tensor([DATA_TIME])
    assert scheduler.signal_level(t) == 1 and scheduler.noise_level(t) == 0 and scheduler.path_time(t) == 0
    assert scheduler.half_log_snr(t) == torch.inf


@pytest.mark.parametrize('scheduler', SCHEDULERS, ids=lambda scheduler: type(scheduler).__name__)
def test_the_velocity_is_the_derivative_along_the_path(scheduler):
    """The coefficients of v are those of dx/dtau: of a line in flow matching, of an arc in diffusion."""
    t = torch.arange(10)
    tau, (of_x0, of_eps) = scheduler.path_time(t), scheduler.velocity_coefficients(t)
    alpha, sigma = scheduler.signal_level(t).sqrt(), scheduler.noise_level(t).sqrt()
    if isinstance(scheduler, FlowMatchingScheduler):
        assert torch.allclose(alpha, 1 - tau) and torch.allclose(sigma, tau)
        assert of_x0.eq(-1).all() and of_eps.eq(1).all()
    else:
        assert torch.allclose(alpha, tau.cos(), atol=1e-7) and torch.allclose(sigma, tau.sin(), atol=1e-7)
        assert torch.allclose(of_x0, -tau.sin(), atol=1e-7) and torch.allclose(of_eps, tau.cos(), atol=1e-7)
