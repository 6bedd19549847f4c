"""The motion diffusion model."""

import pytest
import torch

from leokit.models import MotionDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

N, T = 2, 5
UNET = dict(type='UNet1D', channels=(32,), num_blocks=1, attention_levels=(), embedding_dim=32, head_dim=16)
CONDITIONS = ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition']


def build(condition='LinearMotionCondition', **options):
    """A small model with random weights."""
    torch.manual_seed(0)
    model = MotionDiffusion(N, T, backbone=UNET, motion_condition=dict(type=condition), **{
        'sampler': dict(type='DDIMSampler', num_inference_steps=4, eta=1.0), 'prediction_type': 'x0', **options})
    model.normalizer.set_statistics([1.0, -1.0], [2.0, 0.5], [1.0, 0.5])
    torch.nn.init.normal_(model.backbone.out.weight, std=0.1)
    return model.eval()


def starts(count):
    return torch.randn(count, N, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize('condition', CONDITIONS)
def test_sample_has_the_right_shape_and_start(condition):
    model, start = build(condition), starts(3)
    for frames in (None, 3, 9):
        motion = model.sample(start, frames)
        assert motion.shape == (3, frames or T, N) and not motion.requires_grad
    assert torch.equal(motion[:, 0], start) == model.motion_condition.uses_start


@pytest.mark.parametrize('condition', CONDITIONS)
def test_a_sample_does_not_depend_on_batch_mates(condition):
    model, start = build(condition), starts(4)
    together = model.sample(start, generator=generators_from_seeds(range(4)))
    for i in range(4):
        alone = model.sample(start[i:i + 1], generator=generators_from_seeds([i]))
        assert torch.allclose(together[i:i + 1], alone, atol=1e-5)


def test_given_noise_and_sampler_fix_the_sample():
    model, start = build(), starts(2)
    noise = torch.randn(2, T - 1, N)
    few_steps = dict(type='DDIMSampler', num_inference_steps=3)
    first, second = (model.sample(start, noise=noise, sampler=few_steps) for _ in range(2))
    assert torch.equal(first, second)
    with pytest.raises(ValueError, match='noise must have shape'):
        model.sample(start, noise=noise[:, :1])


def test_the_network_sees_the_linear_condition():
    """What reaches the backbone is [alpha_1, alpha_1 + m_t], and its first output does not count."""
    model, seen = build(), []
    model.backbone.register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    motion = torch.randn(3, T, N)
    codes = model.normalizer.normalize(motion)
    loss = model.loss(dict(motion=motion), generator=torch.Generator().manual_seed(0))['loss_diffusion']
    x, output = seen[0]
    assert torch.allclose(x[:, 0], codes[:, 0])
    target = codes[:, 1:] - codes[:, :1]  # x0-prediction
    assert torch.allclose(loss, (output[:, 1:] - target).square().mean(), atol=1e-6)


def test_sampling_with_a_known_answer():
    """A backbone that outputs the true residuals makes the true sequence."""
    model, motion = build(), torch.randn(3, T, N)
    codes = model.normalizer.normalize(motion)
    model.backbone.forward = lambda x, t, cond=None: codes - codes[:, :1]
    assert torch.allclose(model.sample(motion[:, 0]), motion, atol=1e-5)


@pytest.mark.parametrize('condition', CONDITIONS)
@pytest.mark.parametrize('total', [1, 3, 5, 6, 14])
def test_extend_yields_the_requested_number_of_frames(condition, total):
    model, start = build(condition), starts(2)
    chunks = list(model.extend(start, total, generator=generators_from_seeds([1, 2])))
    assert sum(chunk.shape[1] for chunk in chunks) == total
    assert max(chunk.shape[1] for chunk in chunks) <= T


def test_each_window_starts_with_the_last_code_of_the_one_before():
    model, start, calls = build(), starts(2), []
    sample = model.sample

    def recorded(first, *args, **options):
        calls.append((first, sample(first, *args, **options)))
        return calls[-1][1]

    model.sample = recorded
    whole = torch.cat(list(model.extend(start, 2 * T, generator=generators_from_seeds([1, 2]))), dim=1)
    assert torch.equal(calls[0][0], start) and torch.equal(calls[1][0], calls[0][1][:, -1])
    expected = torch.cat([calls[0][1], calls[1][1][:, 1:], calls[2][1][:, 1:]], dim=1)
    assert torch.equal(whole, expected[:, :2 * T])
    assert not torch.allclose(calls[0][1][:, 1:] - start[:, None], calls[1][1][:, 1:] - calls[1][0][:, None], atol=0.01)


def test_a_longer_sequence_begins_with_the_shorter_one():
    model, start = build(), starts(2)
    short, long = [torch.cat(list(model.extend(start, total, generator=generators_from_seeds([1, 2]))), dim=1)
                   for total in (7, 12)]
    assert torch.equal(long[:, :7], short)


def test_extend_is_lazy_but_checks_arguments_immediately():
    model = build()
    chunks = model.extend(starts(1), 10 ** 12)
    assert next(chunks).shape == (1, T, N)
    with pytest.raises(UserError, match='total_frames=0'):
        model.extend(starts(1), 0)
    with pytest.raises(UserError, match='num_frames=1'):
        model.extend(starts(1), 5, num_frames=1)


def test_a_wrapped_denoiser_can_be_sampled():
    model, start = build(), starts(2)
    denoise = model.denoiser(start)
    noise = torch.randn(2, T - 1, N)
    few_steps = dict(type='DDIMSampler', num_inference_steps=3)
    wrapped = model.diffusion.sample(lambda x, t: denoise(x, t), noise, sampler=few_steps)
    direct = model.sample(start, noise=noise, sampler=few_steps)
    residuals = (direct[:, 1:] - direct[:, :1]) / model.normalizer.unit()
    assert torch.allclose(wrapped, residuals, atol=1e-5)


def test_too_few_frames_are_an_error():
    with pytest.raises(UserError, match='num_frames=1'):
        MotionDiffusion(N, 1, backbone=UNET)
    MotionDiffusion(N, 1, backbone=UNET, motion_condition=dict(type='NoMotionCondition'))


def swings(count, generator):
    """Sequences that swing to either side, twice as far if they start to the right: (count, T, N)."""
    start = 1 + torch.randn(count, 1, N, generator=generator) * torch.tensor([2.0, 0.5])
    sign = torch.randint(0, 2, (count, 1, 1), generator=generator) * 2 - 1.0
    reach = sign * torch.tensor([1.0, -0.4]) * (1 + (start[..., :1] > 1))
    return start + torch.linspace(0, 1, T)[:, None] * reach


@pytest.mark.parametrize('prediction', ['epsilon', 'x0'])
def test_it_learns_a_distribution_of_motion(prediction):
    generator = torch.Generator().manual_seed(0)
    motion = swings(4096, generator)
    model = build(sampler=dict(type='DDIMSampler', num_inference_steps=20), prediction_type=prediction).train()
    residual_std = (motion[:, 1:] - motion[:, :1]).square().mean((0, 1)).sqrt()
    model.normalizer.set_statistics(motion.mean((0, 1)), motion.std((0, 1)), residual_std)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, 250)
    for _ in range(250):
        batch = motion[torch.randint(0, len(motion), (64,), generator=generator)]
        optimizer.zero_grad()
        model.loss(dict(motion=batch), generator=generator)['loss_diffusion'].backward()
        optimizer.step()
        schedule.step()

    start = swings(500, generator)[:, 0]
    generated = model.eval().sample(start, generator=generator)
    swing = (generated[:, -1] - start) / torch.tensor([1.0, -0.4])  # (500, N): both dimensions move together
    far = start[:, 0] > 1
    assert abs(swing.abs()[far].mean() - 2) < 0.3 and abs(swing.abs()[~far].mean() - 1) < 0.2  # it depends on the start
    assert 0.35 < (swing[:, 0] > 0).float().mean() < 0.65  # both sides
    assert (swing.abs() < 0.5).float().mean() < 0.15  # and nothing between them
    assert torch.corrcoef(swing.T)[0, 1] > 0.9  # dimensions together
    middle = generated[:, T // 2] - start
    assert (middle - (generated[:, -1] - start) / 2).abs().mean() < 0.15  # straight paths


def test_noise_that_belongs_to_a_sequence_is_used():
    """A network that outputs zero has the mean square of the target as its loss: eps - x0 on straight paths."""
    model = build(noise_scheduler=dict(type='FlowMatchingScheduler'), prediction_type='v')
    torch.nn.init.zeros_(model.backbone.out.weight)
    torch.nn.init.zeros_(model.backbone.out.bias)
    motion, noise = torch.randn(3, T, N), torch.randn(3, T - 1, N)
    x0 = (motion[:, 1:] - motion[:, :1]) / model.normalizer.unit()
    loss = model.loss(dict(motion=motion, noise=noise))['loss_diffusion']
    assert torch.allclose(loss, (noise - x0).square().mean(), rtol=1e-5)
