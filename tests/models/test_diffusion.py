"""The training objective and the way back, without any model around them."""

import pytest
import torch

from leokit.models import Diffusion
from leokit.samplers import DDPMSampler, generators_from_seeds
from leokit.utils import UserError


def diffusion(**options):
    scheduler = dict(type='LinearNoiseScheduler', num_train_timesteps=50)
    sampler = dict(type='DDIMSampler', num_inference_steps=10)
    return Diffusion(scheduler, sampler, **options)


def samples(size=6):
    return torch.randn(size, size, 3, generator=torch.Generator().manual_seed(0))


def perfect_network(model, x0):
    """The network that knows x0: its loss is zero, and sampling leads to x0."""
    def network(x_t, t):
        eps = model.scheduler.eps_from_x0(x_t.double(), x0.double(), t)
        output = 'v' if model.epsilon_skip else model.prediction_type
        return model.scheduler.target(output, x0.double(), eps, t)
    return network


@pytest.mark.parametrize('prediction', ['epsilon', 'x0', 'v'])
@pytest.mark.parametrize('options', [{}, dict(min_snr_gamma=5.0), dict(epsilon_skip=False)])
def test_a_perfect_network_has_no_loss_and_samples_the_data(prediction, options):
    model, x0 = diffusion(prediction_type=prediction, **options), samples()
    loss = model.loss(perfect_network(model, x0), x0, generator=torch.Generator().manual_seed(1))
    assert loss.shape == (6,) and loss.dtype == torch.float32 and loss.max() < 1e-6
    result = model.sample(model.denoiser(perfect_network(model, x0)), torch.randn_like(x0))
    assert torch.allclose(result, x0, atol=1e-4)


def test_loss_of_the_zero_network_is_the_targets_power():
    x0 = torch.zeros(400, 50)
    loss = diffusion(epsilon_skip=False).loss(
        lambda x, t: torch.zeros_like(x), x0, generator=torch.Generator().manual_seed(0))
    assert abs(loss.mean() - 1) < 0.03


def test_with_the_skip_the_zero_network_predicts_the_mean():
    """Its epsilon is that of the mean, x0 = 0, but for a share a_t of x_t; so sampling starts out sane."""
    model = Diffusion(dict(type='LinearNoiseScheduler'), dict(type='DDIMSampler'))
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([999, 500, 0])
    prediction = model.denoiser(lambda x, t: torch.zeros_like(x))(x, t)
    signal = model.scheduler.signal_level(t).sqrt()[:, None].float()
    assert torch.allclose(prediction.x0, signal * x, atol=1e-4)
    assert not Diffusion(dict(type='LinearNoiseScheduler'), dict(type='DDIMSampler'), prediction_type='v').epsilon_skip


def test_loss_is_per_sample():
    model, x0 = diffusion(prediction_type='x0'), samples()
    loss = model.loss(lambda x, t: x0 + torch.arange(6.0)[:, None, None], x0)
    assert torch.allclose(loss, torch.arange(6.0) ** 2, atol=1e-5)


def test_the_loss_is_the_mean_over_the_frames_in_the_mask():
    """Six of twelve frames count, half of them, so each has twice its share."""
    model, x0 = diffusion(prediction_type='x0'), torch.zeros(3, 4, 2)
    errors = torch.arange(12.0).view(3, 4, 1).expand(3, 4, 2)
    mask = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0]], dtype=torch.bool)
    losses = model.loss(lambda x, t: errors, x0, mask=mask)
    assert losses.tolist() == pytest.approx([2 * (0 + 1) / 4, 2 * 16 / 4, 2 * (64 + 81 + 100) / 4])
    assert float(losses.mean()) == pytest.approx((0 + 1 + 16 + 64 + 81 + 100) / 6)
    assert model.loss(lambda x, t: errors, x0, mask=torch.zeros_like(mask)).tolist() == [0, 0, 0]


@pytest.mark.parametrize('coupling', ['independent', 'optimal_transport'])
def test_noise_that_is_given_is_the_noise(coupling):
    """As in reflow; it is not coupled anew."""
    model = flow(coupling=coupling)
    x0 = torch.tensor([10.0, -10.0, 5.0]).view(3, 1, 1)
    seen = []

    def network(x_t, t):
        s = ((t + 1) / 1000)[:, None, None]
        seen.append((x_t - (1 - s) * x0) / s)
        return torch.zeros_like(x_t)

    eps = torch.tensor([-3.0, 3.0, 1.0]).view(3, 1, 1)
    losses = model.loss(network, x0, eps=eps, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(seen[0], eps, atol=1e-2)
    assert losses.tolist() == pytest.approx([169, 169, 16])


def test_weighting_scales_each_sample_by_its_time():
    plain, weighted, x0 = diffusion(), diffusion(min_snr_gamma=5.0), samples()
    seen = []

    def network(x, t):
        seen.append(t)
        return torch.zeros_like(x)

    losses = [model.loss(network, x0, generator=torch.Generator().manual_seed(2)) for model in (plain, weighted)]
    snr = plain.scheduler.signal_to_noise(seen[0])
    assert torch.equal(*seen)
    assert torch.allclose(losses[1], losses[0] * (snr.clamp_max(5) / snr).float(), rtol=1e-5)


def test_randomness_is_the_generators():
    model, x0 = diffusion(), samples()
    state = torch.get_rng_state()
    runs = [model.loss(lambda x, t: x, x0, generator=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_times_cover_the_schedule():
    times = diffusion().sample_times(2000, device=torch.device('cpu'), generator=torch.Generator().manual_seed(0))
    assert set(times.tolist()) == set(range(50))


@pytest.mark.parametrize('sampler', [dict(type='DDPMSampler', num_inference_steps=4), DDPMSampler(4)])
def test_another_sampler_may_be_given(sampler):
    model, visited = diffusion(prediction_type='x0'), []

    def network(x, t):
        visited.append(int(t[0]))
        return x

    model.sample(model.denoiser(network), samples(2), sampler=sampler, generator=generators_from_seeds([1, 2]))
    assert visited == [36, 24, 12, 0]


def test_denoiser_returns_to_the_samples_type():
    model, x = diffusion(), samples()
    prediction = model.denoiser(lambda x, t: x.bfloat16())(x, torch.zeros(6, dtype=torch.long))
    assert prediction.x0.dtype == prediction.eps.dtype == torch.float32


def test_it_adds_nothing_to_a_state_dict():
    assert diffusion().state_dict() == {}


@pytest.mark.parametrize('options, key', [
    (dict(prediction_type='noise'), 'prediction_type'), (dict(min_snr_gamma=0), 'min_snr')])
def test_invalid_options(options, key):
    with pytest.raises(UserError, match=key):
        diffusion(**options)


# ---- schedules that do not end in noise, or end in nothing else --------------
def warnings_of(monkeypatch, scheduler, **options):
    """What constructing a diffusion logs."""
    lines = []
    monkeypatch.setattr('leokit.models.diffusion.print_log', lambda text, **_: lines.append(text))
    Diffusion(scheduler, dict(type='DDIMSampler', clip=options.pop('clip', None)), **options)
    return lines


@pytest.mark.parametrize('steps,percent', [(50, 78), (100, 60)])
def test_a_short_linear_schedule_is_warned_of(monkeypatch, steps, percent):
    """prod(1 - beta), multiplied out, is 0.603 at 50 and 0.364 at 100 steps; the amplitude is its square root."""
    line, = warnings_of(monkeypatch, dict(type='LinearNoiseScheduler', num_train_timesteps=steps))
    assert f'keeps {percent} % of the amplitude' in line and '1000 / num_train_timesteps' in line
    scaled = dict(type='LinearNoiseScheduler', num_train_timesteps=steps, start=0.1 / steps, end=20 / steps)
    assert warnings_of(monkeypatch, scaled) == []


def test_the_schedules_of_the_configs_are_not_warned_of(monkeypatch):
    for kind in ('LinearNoiseScheduler', 'CosineNoiseScheduler'):
        assert warnings_of(monkeypatch, dict(type=kind, num_train_timesteps=1000)) == []


def test_epsilon_without_signal_is_warned_of_or_refused(monkeypatch):
    """An error of 0.005 in epsilon at the end of the cosine schedule (alpha = 5e-5) is one of 100 in x0."""
    cosine = dict(type='CosineNoiseScheduler')
    line, = warnings_of(monkeypatch, cosine, epsilon_skip=False)
    assert 'epsilon_skip=True' in line
    for options in (dict(), dict(epsilon_skip=False, clip=3.0), dict(prediction_type='v')):
        assert warnings_of(monkeypatch, cosine, **options) == []
    with pytest.raises(UserError, match="set prediction_type to 'v' or 'x0'"):
        Diffusion(dict(type='LinearNoiseScheduler', rescale_zero_terminal_snr=True), dict(type='DDIMSampler'))


def test_the_skip_keeps_errors_of_the_network_small_where_no_signal_is_left():
    """Gaussian data N(0, 0.5): an exact network whose output is off by 0.02 still samples the right deviation."""
    model = Diffusion(dict(type='CosineNoiseScheduler'), dict(type='DDIMSampler', num_inference_steps=50))

    def network(x, t):
        signal, noise = (level.sqrt()[:, None] for level in (
            model.scheduler.signal_level(t), model.scheduler.noise_level(t)))
        x0 = signal * 0.25 / (0.25 * signal ** 2 + noise ** 2) * x
        return model.scheduler.velocity(x0, (x - signal * x0) / noise, t) + 0.02

    noise = torch.randn(4000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert model.sample(model.denoiser(network), noise).std().item() == pytest.approx(0.5, abs=0.05)


# ---- flow matching -----------------------------------------------------------
def flow(**options):
    return Diffusion(dict(type='FlowMatchingScheduler', num_train_timesteps=1000),
                     dict(type='EulerSampler', num_inference_steps=4), prediction_type='v', **options)


def test_flow_matching_trains_the_vector_field_of_straight_paths():
    model, x0, seen = flow(), samples(), []

    def network(x_t, t):
        seen.append((x_t, (t + 1) / 1000))
        return torch.zeros_like(x_t)

    losses = model.loss(network, x0, generator=torch.Generator().manual_seed(0))
    (x_t, s), = seen
    s = s[:, None, None]
    eps = (x_t - (1 - s) * x0) / s
    assert torch.allclose(losses, (eps - x0).square().mean((1, 2)), rtol=1e-4)


def test_other_distributions_of_times():
    model = flow(time_sampler=dict(type='LogitNormalTimeSampler', mean=2.0, std=0.1))
    times = model.sample_times(1000, device=torch.device('cpu'))
    assert 750 < times.float().mean() < 950  # sigmoid(2) = 0.88


def test_optimal_transport_pairs_noise_with_near_data():
    """Two clusters far apart: no path may lead from one side to the other."""
    model = flow(coupling='optimal_transport')
    x0 = torch.tensor([10.0, -10.0, 10.0, -10.0]).view(4, 1, 1)
    seen = []

    def network(x_t, t):
        s = ((t + 1) / 1000)[:, None, None]
        seen.append((x_t - (1 - s) * x0) / s)
        return torch.zeros_like(x_t)

    model.loss(network, x0, generator=torch.Generator().manual_seed(0))
    eps = seen[0].flatten()
    assert min(eps[0], eps[2]) > max(eps[1], eps[3])
    with pytest.raises(UserError, match='coupling'):
        flow(coupling='nearest')
