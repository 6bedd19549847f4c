"""Inputs of a wrong shape are refused by name, by every kind of noise scheduler."""

import pytest
import torch

from leokit.noise_schedulers import (
    CosineNoiseScheduler, EDMNoiseScheduler, FlowMatchingScheduler, LinearNoiseScheduler)

SCHEDULERS = [LinearNoiseScheduler(10), CosineNoiseScheduler(10), FlowMatchingScheduler(10), EDMNoiseScheduler(10)]
X = torch.zeros(2, 3, 4)
T = torch.tensor([1, 5])


@pytest.mark.parametrize('scheduler', SCHEDULERS, ids=lambda scheduler: type(scheduler).__name__)
@pytest.mark.parametrize('call, message', [
    (lambda s: s.add_noise(X, X[:1], T), r'eps must have shape \(2, 3, 4\)'),
    (lambda s: s.add_noise(X, X, T[:1]), r'values must have shape \(2\)'),
    (lambda s: s.interpret('v', X[:, :1], X, T), r'output must have shape \(2, 3, 4\)'),
    (lambda s: s.interpret('v', X, X, T[:, None]), r't must have shape \(\*\)|values must have shape \(2\)'),
    (lambda s: s.signal_level(T[:, None]), r't must have shape \(\*\)')])
def test_wrong_shapes_are_named(scheduler, call, message):
    with pytest.raises(ValueError, match=message):
        call(scheduler)
