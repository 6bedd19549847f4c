"""Default values, as in the papers or as documented."""

import pytest
from support.signatures import defaults

from leokit.samplers import (
    ConsistencySampler, DDIMSampler, DDPMSampler, DPMSolverPlusPlusSampler, EulerSampler, HeunSampler, MidpointSampler)
from leokit.samplers.time_grids import karras_grid


def test_samplers():
    assert defaults(DDIMSampler) == dict(num_inference_steps=50, eta=0.0, timestep_spacing='trailing', previous='grid',
                                         rederive_eps=True)
    assert defaults(DDPMSampler) == dict(timestep_spacing='leading', variance='fixed_small')
    assert defaults(DPMSolverPlusPlusSampler) == dict(num_inference_steps=20, timestep_spacing='linspace')
    assert defaults(ConsistencySampler) == dict(num_inference_steps=1, timestep_spacing='trailing')
    for sampler in (EulerSampler, HeunSampler, MidpointSampler):
        assert defaults(sampler) == dict(num_inference_steps=20, timestep_spacing='trailing')


def test_the_grid_of_edm():
    """Karras et al. 2022, table 1: rho = 7, from a noise level of 80."""
    assert defaults(karras_grid) == dict(rho=7.0, max_noise=80.0)


@pytest.mark.parametrize('sampler, graph', [
    (DDIMSampler(), True), (DDIMSampler(eta=1.0), False), (DPMSolverPlusPlusSampler(), True), (EulerSampler(), True),
    (HeunSampler(), False), (MidpointSampler(), False), (DDPMSampler(), False), (ConsistencySampler(), False),
    (DDIMSampler(timestep_spacing='karras'), False), (EulerSampler(timestep_spacing='karras'), False),
    (DPMSolverPlusPlusSampler(timestep_spacing='karras'), False)])
def test_which_samplers_can_be_one_cuda_graph(sampler, graph):
    """Those that add no noise and whose steps do not read values from the device."""
    assert sampler.supports_cuda_graph is graph
