"""DDIM against the reference runs."""

import math

import pytest
import torch

from leokit.noise_schedulers import CosineNoiseScheduler, NoiseScheduler, Prediction
from leokit.samplers import DDIMSampler, DDPMSampler
from leokit.utils import UserError


@pytest.mark.parametrize('timestep_spacing', ['leading', 'trailing'])
@pytest.mark.parametrize('previous', ['grid', 'stride'])
def test_run(reference, timestep_spacing, previous):
    sampler = DDIMSampler(50, timestep_spacing=timestep_spacing, previous=previous)
    reference.assert_trajectory(f'ddim50_{timestep_spacing}_traj', reference.run(sampler))
    reference.assert_times(f'ddim50_{timestep_spacing}', sampler)


def test_eta(reference):
    reference.assert_last('ddim50_leading_eta1_x0', reference.run(DDIMSampler(50, timestep_spacing='leading', eta=1.0)))


def test_clipped_runs(reference):
    for rederive, name in ((False, 'ddim50_leading_clip_traj'), (True, 'ddim50_leading_clip_rederived_traj')):
        sampler = DDIMSampler(50, timestep_spacing='leading', clip=1.0, rederive_eps=rederive)
        reference.assert_trajectory(name, reference.run(sampler))


def test_a_last_step_to_time_zero(reference):
    sampler = DDIMSampler(50, timestep_spacing='leading')
    steps = (*sampler.steps(reference.scheduler)[:-1], (0, 0))
    reference.assert_last('ddim50_leading_no_alpha_one_x0', reference.run(sampler, steps=steps))


def test_velocity(reference):
    run = reference.run(DDIMSampler(50, timestep_spacing='leading'), prediction='v')
    reference.assert_last('ddim50_leading_v_x0', run)


def test_cosine_schedule(reference):
    run = reference.run(DDIMSampler(50, timestep_spacing='leading'), scheduler=CosineNoiseScheduler())
    reference.assert_last('ddim50_leading_cosine_x0', run)


def test_uneven_grid_by_stride(reference):
    sampler = DDIMSampler(30, previous='stride')
    reference.assert_last('ddim30_trailing_odd_x0', reference.run(sampler))
    reference.assert_times('ddim30_trailing_odd', sampler)
    by_grid = reference.run(DDIMSampler(30))[-1].numpy()
    assert abs(by_grid - reference.arrays['ddim30_trailing_odd_x0']).max() > 0.01  # the default leaves no gaps


def test_eta_one_is_ddpm(reference):
    """With eta = 1 DDIM and ancestral sampling are the same process (arXiv 2010.02502, section 4.1)."""
    ddim = reference.run(DDIMSampler(50, eta=1.0, timestep_spacing='leading'))
    ddpm = reference.run(DDPMSampler(50, timestep_spacing='leading'))
    assert abs(ddim - ddpm).max() < 1e-9


def test_a_step_with_part_of_the_noise():
    """x_prev = a' x0 + sqrt(1 - a'^2 - s^2) eps + s z with s = eta sqrt(posterior variance), equation 12."""
    scheduler = NoiseScheduler(torch.tensor([0.36, 0.75], dtype=torch.float64))  # signal levels 0.64 and 0.16
    prediction = Prediction(torch.tensor([[2.0]]).double(), torch.tensor([[-1.0]]).double())
    x = torch.zeros(1, 1).double()
    for eta in (0.5, 1.0):
        deviation = eta * math.sqrt(0.75 * 0.36 / 0.84)
        expected = 0.8 * 2 - math.sqrt(0.36 - deviation ** 2) + deviation * 3
        found = DDIMSampler(eta=eta).step(x, prediction, torch.tensor([1]), torch.tensor([0]), scheduler,
                                          noise_source=lambda like: torch.full_like(like, 3.0), history=None)
        assert found.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('eta', [-1e-6, 1 + 1e-6])
def test_the_range_of_eta(eta):
    with pytest.raises(UserError, match='eta='):
        DDIMSampler(eta=eta)
