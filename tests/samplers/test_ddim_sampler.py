"""DDIM against the reference runs."""

import pytest

from leokit.noise_schedulers import CosineNoiseScheduler
from leokit.samplers import DDIMSampler, DDPMSampler


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
