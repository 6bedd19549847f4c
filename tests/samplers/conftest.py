"""The toy network and the stored runs that every sampler is compared with."""

from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.noise_schedulers import LinearNoiseScheduler, Prediction

SHAPE = (2, 8, 20)


class Reference:
    """Runs of a reference implementation in float64, with its toy network and its noise."""

    tolerance = 1e-9

    def __init__(self):
        self.arrays = np.load(Path(__file__).parent / 'data' / 'reference.npz')
        self.scheduler = LinearNoiseScheduler()
        random = np.random.RandomState(701)  # draws in the reference's order
        self.x_T, _, _ = (torch.tensor(random.standard_normal(SHAPE)) for _ in range(3))
        self.noises = torch.tensor(random.standard_normal((1000, *SHAPE)).astype(np.float32)).double()

    def run(self, sampler, *, scheduler=None, prediction='epsilon', noises=None, steps=None):
        """All samples of a run, the start first: (steps + 1, 2, 8, 20)."""
        scheduler = scheduler or self.scheduler
        noises = iter(self.noises if noises is None else noises)

        def denoise(x, t):
            output = 0.3 * x + 0.1 * torch.sin(0.01 * t.double()[:, None, None] + x)
            return scheduler.interpret(prediction, output, x, t)

        samples = sampler.iterate(denoise, self.x_T, scheduler, steps=steps, noise_source=lambda like: next(noises))
        return torch.stack([self.x_T, *samples])

    def assert_trajectory(self, name, run):
        """Compare with the stored samples of a run."""
        index = self.arrays[f'{name}_index'] if f'{name}_index' in self.arrays else slice(None)
        assert run[index].shape == self.arrays[name].shape
        assert np.abs(run[index].numpy() - self.arrays[name]).max() < self.tolerance

    def assert_last(self, name, run):
        """Compare with the stored last sample of a run."""
        assert np.abs(run[-1].numpy() - self.arrays[name]).max() < self.tolerance

    def assert_times(self, name, sampler):
        """Compare the visited times."""
        assert [t for t, _ in sampler.steps(self.scheduler)] == self.arrays[f'{name}_timesteps'].tolist()


@pytest.fixture(scope='session')
def reference():
    """The stored runs."""
    return Reference()


@pytest.fixture
def oracle():
    """A function of the true samples (B, ...): a perfect denoiser, for a given scheduler."""
    def make(x0, scheduler):
        return lambda x, t: Prediction(x0.expand_as(x), scheduler.eps_from_x0(x, x0.expand_as(x), t))
    return make
