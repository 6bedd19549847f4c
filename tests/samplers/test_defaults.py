"""Default values, as in the papers or as documented."""

from support.signatures import defaults

from leokit.samplers import DDIMSampler, DDPMSampler, DPMSolverPlusPlusSampler
from leokit.samplers.ode_samplers import EulerSampler, HeunSampler
from leokit.samplers.time_grids import karras_grid


def test_samplers():
    assert defaults(DDIMSampler) == dict(num_inference_steps=50, eta=0.0, timestep_spacing='trailing', previous='grid',
                                         rederive_eps=True)
    assert defaults(DDPMSampler) == dict(timestep_spacing='leading', variance='fixed_small')
    assert defaults(DPMSolverPlusPlusSampler) == dict(num_inference_steps=20, timestep_spacing='linspace')
    for sampler in (EulerSampler, HeunSampler):
        assert defaults(sampler) == dict(num_inference_steps=20, timestep_spacing='trailing')


def test_the_grid_of_edm():
    """Karras et al. 2022, table 1: rho = 7, from a noise level of 80."""
    assert defaults(karras_grid) == dict(rho=7.0, max_noise=80.0)
