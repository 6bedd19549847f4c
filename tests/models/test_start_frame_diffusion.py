"""The starting-frame model, of either stage."""

import pytest
import torch
from mmengine.optim import OptimWrapper

from leokit.engine import AutocastOptimWrapper
from leokit.models import StartFrameDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

N, SIZE = 2, 8
BACKBONE = dict(type='UNet2D', channels=(16, 16), num_blocks=1, attention_levels=(), embedding_dim=32, head_dim=8)
LOW = dict(size=4, noise=0.3)


def build(steps=4, **options):
    torch.manual_seed(0)
    model = StartFrameDiffusion(SIZE, N, backbone=dict(BACKBONE),
                                sampler=dict(type='DDIMSampler', num_inference_steps=steps), **options)
    model.normalizer.set_statistics([0.0] * N, [1.0] * N, animator_hash='ab' * 32)
    for parameter in model.parameters():  # a fresh network ignores its inputs
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def batch(count=4):
    generator = torch.Generator().manual_seed(1)
    return dict(frame=torch.rand(count, 3, SIZE, SIZE, generator=generator) * 2 - 1,
                motion=torch.randn(count, N, generator=generator))


def low_resolution(count=4):
    return torch.rand(count, 3, LOW['size'], LOW['size'], generator=torch.Generator().manual_seed(2)) * 2 - 1


# ---- drawing -----------------------------------------------------------------
@pytest.mark.parametrize('sampler', [
    dict(type='DDIMSampler', num_inference_steps=4), dict(type='DDIMSampler', num_inference_steps=4, eta=1.0),
    dict(type='DDPMSampler', num_inference_steps=4), dict(type='DPMSolverPlusPlusSampler', num_inference_steps=4)])
@pytest.mark.parametrize('low', [None, LOW])
def test_a_frame_is_pixels_and_does_not_depend_on_its_batch_mates(sampler, low):
    model = build(low=low)
    motion, options = batch()['motion'], dict(sampler=sampler)
    whole = dict(options, low=low_resolution()) if low else options
    together = model.sample(motion, generator=generators_from_seeds(range(4)), **whole)
    alone = model.sample(motion[2:3], generator=generators_from_seeds([2]),
                         **dict(options, low=low_resolution()[2:3]) if low else options)
    assert together.shape == (4, 3, SIZE, SIZE) and together.dtype == torch.float32
    assert together.abs().max() <= 1
    assert torch.allclose(alone, together[2:3], atol=1e-4)
    assert not torch.allclose(together[0], together[1], atol=0.1)


def test_noise_and_seed_determine_the_frames():
    model, motion = build(), batch()['motion']
    noise = torch.randn(4, 3, SIZE, SIZE)
    assert torch.equal(model.sample(motion, noise=noise), model.sample(motion, noise=noise))
    one, other = (model.sample(motion, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert not torch.allclose(one, other, atol=0.1)


def test_guidance():
    """Weight 1 is the conditional prediction alone, 0 the unconditional one, the default the model's own."""
    model, motion, noise = build(guidance=dict(weight=3.0)), batch()['motion'], torch.randn(4, 3, SIZE, SIZE)
    calls = []
    model.backbone.register_forward_pre_hook(lambda module, args: calls.append(args[2]))

    def sample(weight, codes=motion):
        calls.clear()
        return model.sample(codes, noise=noise, guidance_scale=weight)

    conditional = sample(1.0)
    assert len(calls) == 4 and all(bool((cond[:, N] == 1).all()) for cond in calls)
    assert torch.allclose(calls[0][:, :N], motion)
    free = sample(0.0)
    assert torch.equal(free, sample(0.0, codes=motion.flip(0))) and not torch.allclose(free, conditional, atol=1e-3)
    assert torch.equal(sample(None), sample(3.0)) and not torch.allclose(sample(None), conditional, atol=1e-3)
    assert len(calls) == 8


def test_the_clean_frame_is_clamped_at_every_step():
    model = build()
    torch.nn.init.constant_(model.backbone.out.bias, 50.0)
    seen = []
    model.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[0].abs().max()))
    model.sample(batch()['motion'], guidance_scale=1.0, generator=torch.Generator().manual_seed(0))
    assert max(seen) < 10  # noise and a frame in [-1, 1]; without the clamp 50 comes back in


# ---- training ----------------------------------------------------------------
def test_the_rate_of_condition_dropout():
    model = build(guidance=dict(condition_dropout=0.25))
    seen = []
    model.backbone.register_forward_pre_hook(lambda module, args: seen.append(args[2]))
    for _ in range(20):
        model.loss(batch(64))
    cond = torch.cat(seen)
    blank = cond[:, N] == 0
    assert blank.float().mean() == pytest.approx(0.25, abs=0.05)
    assert (cond[blank] == 0).all() and (cond[~blank][:, :N] != 0).all()


def test_the_second_stage_gets_the_low_resolution_frame_with_noise():
    model, inputs = build(low=LOW), batch(64)
    seen = []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((args[2], kwargs['extra'])), with_kwargs=True)
    model.loss(inputs)
    (cond, extra), = seen
    clean = model._upsample(torch.nn.functional.adaptive_avg_pool2d(inputs['frame'], LOW['size']))
    level = cond[:, -1]
    deviation = (extra - clean).flatten(1).std(1)
    assert cond.shape == (64, N + 2) and 0 <= level.min() < 0.1 and 0.9 < level.max() <= 1
    assert torch.allclose(deviation, LOW['noise'] * level, rtol=0.3, atol=1e-3)


def test_a_generator_makes_the_loss_a_function_of_its_seed():
    model, inputs = build(low=LOW), batch()
    losses = [model.loss(inputs, generator=torch.Generator().manual_seed(seed))['loss_diffusion'] for seed in (1, 1, 2)]
    assert torch.equal(*losses[:2]) and not torch.equal(*losses[1:])


def test_it_learns_which_frame_belongs_to_which_code():
    """Frames of one color, which is the code."""
    torch.manual_seed(0)
    model = build(10).train()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    losses = []
    for _ in range(120):
        codes = torch.rand(32, N, generator=generator) * 1.6 - 0.8
        frames = torch.cat([codes, -codes[:, :1]], dim=1)[..., None, None].expand(-1, -1, SIZE, SIZE)
        loss = model.loss(dict(frame=frames.contiguous(), motion=codes), generator=generator)['loss_diffusion']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-20:]) < 0.4 * sum(losses[:20])
    target = torch.tensor([[0.6, -0.6], [-0.6, 0.6], [0.6, 0.6], [-0.6, -0.6]])
    sampled = model.eval().sample(target, generator=generators_from_seeds(range(4)), guidance_scale=1.0).mean((2, 3))
    expected = torch.cat([target, -target[:, :1]], dim=1)
    assert torch.cdist(sampled, expected).argmin(1).tolist() == [0, 1, 2, 3]
    assert torch.corrcoef(torch.stack([sampled.flatten(), expected.flatten()]))[0, 1] > 0.8


@pytest.mark.parametrize('low', [None, LOW])
def test_a_training_step_from_bytes_under_autocast(low):
    model = build(low=low).train()
    data = dict(inputs=dict(frame=torch.randint(0, 256, (4, 3, SIZE, SIZE), dtype=torch.uint8),
                            motion=torch.randn(4, N)))
    for wrapper in (AutocastOptimWrapper, OptimWrapper):
        before = [parameter.clone() for parameter in model.parameters()]
        logs = model.train_step(data, wrapper(torch.optim.Adam(model.parameters(), 1e-2)))
        assert logs['loss_diffusion'].isfinite() and logs['loss_diffusion'].dtype == torch.float32
        assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters()))
    with torch.autocast('cpu', torch.bfloat16):
        sampled = model.sample(torch.randn(4, N), **dict(low=low_resolution()) if low else {})
    assert sampled.dtype == torch.float32 and sampled.isfinite().all()


@pytest.mark.parametrize('low', [None, LOW])
def test_a_checkpoint_samples_the_same_and_has_the_animator_hash(low):
    model, fresh = build(low=low), StartFrameDiffusion(
        SIZE, N, backbone=dict(BACKBONE), sampler=dict(type='DDIMSampler', num_inference_steps=4), low=low).eval()
    motion, options = batch()['motion'], dict(low=low_resolution()) if low else {}
    with pytest.raises(UserError, match='not set'):
        fresh.sample(motion, **options)
    fresh.load_state_dict(model.state_dict())
    samples = [one.sample(motion, generator=generators_from_seeds(range(4)), **options) for one in (model, fresh)]
    assert torch.equal(*samples)
    assert fresh.code_origin.animator_hash == 'ab' * 32
    with pytest.raises(UserError, match='belong to different animators'):
        fresh.normalizer.set_statistics([0.0] * N, [1.0] * N, animator_hash='cd' * 32)


def test_records_of_predict():
    inputs, names = batch(), dict(name=list('abcd'), start=torch.arange(4))
    for low in (None, LOW):
        rows = build(low=low).predict(inputs, names)
        assert [set(row) for row in rows] == [{'name', 'start', 'real', 'generated', 'motion'}] * 4
        assert rows[0]['generated'].shape == rows[0]['real'].shape == (3, SIZE, SIZE)


# ---- refusals ----------------------------------------------------------------
def test_low_resolution_frames_are_for_a_second_stage():
    with pytest.raises(UserError, match='do not pass low'):
        build().sample(batch()['motion'], low=low_resolution())
    with pytest.raises(UserError, match='upsamples low-resolution frames; pass low'):
        build(low=LOW).sample(batch()['motion'])
    with pytest.raises(ValueError, match='low must have shape'):
        build(low=LOW).sample(batch()['motion'], low=torch.zeros(4, 3, 5, 5))


@pytest.mark.parametrize('options, text', [
    (dict(low=dict(size=SIZE)), 'low='), (dict(low=dict(noise=0.1)), 'low='),
    (dict(low=dict(resolution=4)), 'low.resolution'),
    (dict(guidance=dict(weigth=2)), 'guidance.weigth'), (dict(guidance=dict(condition_dropout=1)), 'below 1'),
    (dict(prediction_type='x1'), 'prediction_type')])
def test_invalid_options(options, text):
    with pytest.raises(UserError, match=text):
        StartFrameDiffusion(SIZE, N, backbone=dict(BACKBONE), **options)


def test_frames_of_another_size_are_an_error():
    inputs = dict(batch(), frame=torch.zeros(4, 3, 16, 16))
    with pytest.raises(UserError, match='the same size'):
        build().loss(inputs)


def test_the_noise_of_the_low_resolution_frame_in_training():
    low, noise = torch.full((2, 3, 4, 4), 0.25), torch.ones(2, 3, 4, 4)
    noised = build(low=dict(size=4))._augment_conditioning(low, torch.tensor([0.0, 0.5]), noise)
    torch.testing.assert_close(noised[0], low[0])
    torch.testing.assert_close(noised[1], torch.full((3, 4, 4), 0.25 + 0.2 * 0.5))


def test_the_noise_of_the_low_resolution_frame_in_sampling():
    """Half of the largest noise of training, which the network is told."""
    model = build(low=dict(size=4))
    assert model.low_noise == 0.2
    seen = []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((args[2], kwargs['extra'])), with_kwargs=True)
    gray = torch.full((64, 3, 4, 4), 0.25)
    model.sample(batch(64)['motion'], low=gray, guidance_scale=1.0, generator=torch.Generator().manual_seed(3))
    for cond, extra in seen:
        assert (cond[:, -1] == 0.5).all()
        assert float((extra - 0.25).std()) == pytest.approx(0.1, rel=0.03)
        assert float(extra.mean()) == pytest.approx(0.25, abs=0.01)


def test_codes_and_noise_of_the_wrong_shape():
    model = build()
    with pytest.raises(ValueError, match='motion must have shape'):
        model.sample(torch.zeros(2, 3, N))
    with pytest.raises(ValueError, match='noise must have shape'):
        model.sample(torch.zeros(2, N), noise=torch.zeros(1, 3, SIZE, SIZE))
    with pytest.raises(ValueError, match='inputs.motion must have shape'):
        model.loss(dict(batch(2), motion=torch.zeros(3, N)))


# ---- inputs of the network, by arithmetic --------------------------------------
def test_the_second_stage_samples_at_half_of_the_largest_noise():
    model, low, seen = build(low=LOW), low_resolution(), []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((args[2], kwargs['extra'])), with_kwargs=True)
    model.sample(batch()['motion'], noise=torch.zeros(4, 3, SIZE, SIZE), low=low, guidance_scale=1.0,
                 generator=torch.Generator().manual_seed(3))
    noise = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    upsampled = torch.nn.functional.interpolate(low, (SIZE, SIZE), mode='bilinear')
    for cond, extra in seen:
        assert cond[:, N:].tolist() == [[1.0, 0.5]] * 4
        assert torch.allclose(extra, upsampled + 0.5 * LOW['noise'] * noise, atol=1e-6)


@pytest.mark.parametrize('low', [None, LOW])
def test_tensor_mode_is_the_network_at_time_0_with_code_and_without_noise(low):
    model, inputs, seen = build(low=low), batch(), []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((*args, kwargs.get('extra'))), with_kwargs=True)
    model(inputs, mode='tensor')
    (x, t, cond, extra), = seen
    assert torch.equal(x, inputs['frame']) and t.tolist() == [0] * 4
    assert torch.equal(cond[:, :N], inputs['motion']) and cond[:, N:].tolist() == [[1.0, 0.0] if low else [1.0]] * 4
    if low:
        small = inputs['frame'].unflatten(3, (4, 2)).unflatten(2, (4, 2)).mean((3, 5))
        assert torch.allclose(extra, torch.nn.functional.interpolate(small, (SIZE, SIZE), mode='bilinear'), atol=1e-6)


def test_the_limits_of_the_options():
    assert build(guidance=dict(condition_dropout=0.0)).condition_dropout == 0
    assert build(low=dict(size=SIZE - 1, noise=0.0)).low_noise == 0
    assert build(low=dict(size=1)).low_noise == 0.2 and build().guidance_scale == 1
    for options in (dict(guidance=dict(condition_dropout=1.0)), dict(guidance=dict(condition_dropout=-0.1)),
                    dict(low=dict(size=SIZE)), dict(low=dict(size=0)), dict(low=dict(size=4, noise=-0.1)),
                    dict(low=dict(noise=0.1))):
        with pytest.raises(UserError, match='condition_dropout|needs a size between 0 and 8'):
            build(**options)
