"""Properties of every sampler."""

import pytest
import torch

from leokit.noise_schedulers import CosineNoiseScheduler, LinearNoiseScheduler, Prediction
from leokit.registry import SAMPLERS
from leokit.samplers import DDIMSampler, noise_source
from leokit.utils import UserError

CONFIGS = [
    dict(type='DDPMSampler', num_inference_steps=10),
    dict(type='DDPMSampler', num_inference_steps=10, variance='fixed_large'),
    dict(type='DDIMSampler', num_inference_steps=10), dict(type='DDIMSampler', num_inference_steps=7, eta=1.0),
    dict(type='DDIMSampler', num_inference_steps=7, previous='stride', timestep_spacing='leading'),
    dict(type='DPMSolverPlusPlusSampler', num_inference_steps=10),
    dict(type='DPMSolverPlusPlusSampler', num_inference_steps=10, timestep_spacing='trailing'),
]


@pytest.fixture(params=CONFIGS, ids=lambda config: '-'.join(str(value) for value in config.values()))
def sampler(request):
    """Each sampler."""
    return SAMPLERS.build(request.param)


@pytest.mark.parametrize('scheduler', [LinearNoiseScheduler(), CosineNoiseScheduler(100)])
@pytest.mark.parametrize('shape', [(3, 3), (3, 4, 3), (2, 3, 4, 4)])
def test_a_perfect_denoiser_recovers_x0(sampler, scheduler, shape, oracle):
    x0, noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    result = sampler.sample(oracle(x0, scheduler), noise, scheduler)
    assert torch.allclose(result, x0, atol=1e-9)


def test_one_step_ends_at_the_prediction(sampler, oracle):
    scheduler = LinearNoiseScheduler()
    x0, noise = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for t in (999, 0):
        result = sampler.sample(oracle(x0, scheduler), noise, scheduler, steps=((t, -1),))
        assert torch.isfinite(result).all() and torch.allclose(result, x0, atol=1e-9)


def test_a_schedule_of_one_step_works(oracle):
    scheduler = LinearNoiseScheduler(1, start=0.5)
    for name in ('DDPMSampler', 'DDIMSampler'):
        sampler = SAMPLERS.build(dict(type=name, num_inference_steps=1))
        assert torch.allclose(sampler.sample(oracle(torch.ones(1), scheduler), torch.zeros(2, 3), scheduler),
                              torch.ones(2, 3), atol=1e-6)


def test_nothing_is_kept_between_runs(sampler):
    scheduler = LinearNoiseScheduler()
    noise = torch.randn(2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def run():
        return sampler.sample(lambda x, t: scheduler.interpret('v', x.tanh(), x, t), noise, scheduler,
                              noise_source=noise_source(torch.Generator().manual_seed(1)))

    before = noise.clone()
    assert torch.equal(run(), run())
    assert torch.equal(noise, before)


def test_samples_are_independent(sampler):
    scheduler = LinearNoiseScheduler()
    noise = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def run(rows):
        source = noise_source([torch.Generator().manual_seed(row) for row in rows])
        return sampler.sample(lambda x, t: scheduler.interpret('v', x.tanh(), x, t), noise[rows], scheduler,
                              noise_source=source)

    assert torch.equal(run([0, 1, 2])[1:2], run([1]))


def test_gaussian_data_are_recovered(sampler):
    """The best denoiser of N(1, 0.5^2) is known; its samples must have that mean and deviation."""
    scheduler = LinearNoiseScheduler()
    mean, variance = 1.0, 0.25

    def denoise(x, t):
        level = scheduler.signal_level(t)[:, None]
        gain = level.sqrt() * variance / (level * variance + 1 - level)
        x0 = mean + gain * (x - level.sqrt() * mean)
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 4000, generator=generator, dtype=torch.float64)
    sampler.num_inference_steps = 200
    result = sampler.sample(denoise, noise, scheduler, noise_source=noise_source(generator))
    assert abs(result.mean() - mean) < 0.05
    assert abs(result.std() - variance ** 0.5) < 0.05


def test_a_wrapped_denoiser_guides_the_sampler(sampler, oracle):
    scheduler = LinearNoiseScheduler()
    inner = oracle(torch.zeros(1).double(), scheduler)

    def guided(x, t):
        x0 = inner(x, t).x0 + 2
        return Prediction(x0, scheduler.eps_from_x0(x, x0, t))

    result = sampler.sample(guided, torch.randn(2, 3, dtype=torch.float64), scheduler)
    assert torch.allclose(result, torch.full((2, 3), 2.0).double(), atol=1e-9)


def test_clip_bounds_the_result(sampler, oracle):
    scheduler = LinearNoiseScheduler()
    sampler.clip = 1.5
    result = sampler.sample(oracle(torch.full((2, 3), 4.0).double(), scheduler), torch.randn(2, 3).double(), scheduler)
    assert torch.allclose(result, torch.full((2, 3), 1.5).double(), atol=1e-6)


@pytest.mark.parametrize('options, key', [
    (dict(type='DDIMSampler', clip=0.0), 'clip'), (dict(type='DDIMSampler', eta=-1.0), 'eta'),
    (dict(type='DDIMSampler', previous='next'), 'previous'), (dict(type='DDPMSampler', variance='learned'), 'variance'),
])
def test_invalid_options_are_errors(options, key):
    with pytest.raises(UserError, match=f'{key}='):
        SAMPLERS.build(options)


def test_invalid_grids_are_errors():
    with pytest.raises(UserError, match='num_inference_steps=2000'):
        SAMPLERS.build(dict(type='DDIMSampler', num_inference_steps=2000)).steps(LinearNoiseScheduler())


def test_clipping_is_off_by_default_and_bounds_both_sides():
    x, t = torch.tensor([[-3.0, 0.25, 3.0]]), torch.tensor([4])
    prediction = Prediction(x, x)
    assert DDIMSampler().clip is None and DDIMSampler().clipped(x, prediction, t, None) is prediction
    clipped = DDIMSampler(clip=0.5, rederive_eps=False).clipped(x, prediction, t, None)
    assert clipped.x0.tolist() == [[-0.5, 0.25, 0.5]] and clipped.eps is x
