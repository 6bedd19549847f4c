"""Control, dropout of conditions, guidance, padding and given codes of the motion diffusion."""

import pytest
import torch
from support.signatures import defaults

from leokit.models import MotionDiffusion
from leokit.models.motion_conditioning import Given, MotionConditioning
from leokit.models.motion_windows import KnownCodes
from leokit.motion_conditions import LinearMotionCondition, NetworkInput, NoMotionCondition
from leokit.noise_schedulers import Prediction
from leokit.samplers import generators_from_seeds, guide_in_order
from leokit.utils import UserError

N, T, C = 2, 6, 3
BACKBONES = {
    'UNet1D': dict(channels=(16, 32), num_blocks=1, attention_levels=(1,), embedding_dim=16, head_dim=16),
    'MotionTransformer': dict(dim=16, depth=2, head_dim=8, mlp_ratio=2),
    'TemporalConvNet': dict(channels=16, depth=3, cycle=2, embedding_dim=16),
}
CONTROL = dict(control=dict(type='MLPControlEncoder', control_dim=C, dim=8))


def build(backbone='UNet1D', condition='LinearMotionCondition', motion_dim=N, **options):
    """A small model with random weights."""
    torch.manual_seed(0)
    model = MotionDiffusion(
        motion_dim, T, backbone=dict(type=backbone, **BACKBONES[backbone]), motion_condition=dict(type=condition),
        sampler=dict(type='DDIMSampler', num_inference_steps=4), prediction_type='v', **options)
    model.normalizer.set_statistics(torch.arange(motion_dim), 1 + torch.arange(motion_dim))
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mask_of(lengths, frames=T):
    return torch.arange(frames) < torch.tensor(lengths)[:, None]


# ---- padding ---------------------------------------------------------------
@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition'])
def test_the_loss_is_the_mean_over_valid_frames_whatever_the_padding(backbone, condition):
    model, motion, mask = build(backbone, condition), normal(3, T, N), mask_of([6, 2, 4])
    losses = [model.loss(dict(motion=motion.masked_fill(~mask[..., None], padding), mask=mask),
                         generator=torch.Generator().manual_seed(0))['loss_diffusion']
              for padding in (0.0, 1e3, float('nan'))]
    assert torch.isfinite(losses[0]) and torch.allclose(losses[0], losses[1]) and torch.equal(losses[0], losses[2])

    # by hand, one sequence after another at its own length, with the same times and noise
    generator, given = torch.Generator().manual_seed(0), int(model.motion_condition.uses_start)
    t = model.diffusion.sample_times(3, device='cpu', generator=generator)
    noise = torch.randn(3, T - given, N, generator=generator)
    squares, frames = 0.0, 0
    for i, length in enumerate([6, 2, 4]):
        codes = (motion[i:i + 1, :length] - torch.arange(N)) / (1 + torch.arange(N))
        x0, start = model.motion_condition.split(codes)
        eps, time = noise[i:i + 1, :length - given], t[i:i + 1]
        alpha = model.diffusion.scheduler.signal_level(time).sqrt().float()
        sigma = model.diffusion.scheduler.noise_level(time).sqrt().float()
        output = model._network(start)(alpha * x0 + sigma * eps, time)
        squares += float((output - (alpha * eps - sigma * x0)).square().sum())
        frames += (length - given) * N
    assert float(losses[0]) == pytest.approx(squares / frames, rel=1e-4)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_a_full_mask_has_the_loss_of_no_mask(backbone):
    model, motion = build(backbone), normal(3, T, N)
    with_mask, without = [model.loss(dict(motion=motion, **more), generator=torch.Generator().manual_seed(0))
                          for more in (dict(mask=mask_of([T] * 3)), {})]
    assert torch.allclose(with_mask['loss_diffusion'], without['loss_diffusion'])


@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
def test_a_sequence_in_a_padded_batch_is_the_sequence_alone(backbone, condition):
    model, start, lengths = build(backbone, condition, conditioning=CONTROL), normal(3, N), [6, 2, 5]
    given = int(model.motion_condition.uses_start)
    noise, control = normal(3, T - given, N), normal(3, T, C)
    motion = model.sample(start, noise=noise, lengths=lengths, control=control)
    for i, length in enumerate(lengths):
        alone = model.sample(start[i:i + 1], length, noise=noise[i:i + 1, :length - given],
                             control=control[i:i + 1, :length])
        assert torch.allclose(motion[i, :length], alone[0], atol=1e-4)
        assert torch.equal(motion[i, length:], motion[i, length - 1].expand(T - length, N))


def test_lengths_out_of_range_are_one_sentence():
    model = build()
    for lengths in ([6, 7], [1, 6]):
        with pytest.raises(UserError, match='lengths must lie between 2 and num_frames=6'):
            model.sample(normal(2, N), lengths=lengths)
    with pytest.raises(ValueError, match='lengths must have shape'):
        model.sample(normal(2, N), lengths=[6])


def test_predict_returns_sequences_of_their_length():
    inputs = dict(motion=normal(3, T, N), mask=mask_of([6, 3, 2]))
    rows = build().predict(inputs, dict(name=['a', 'b', 'c']))
    assert [len(row['real']) for row in rows] == [len(row['generated']) for row in rows] == [6, 3, 2]


# ---- control ---------------------------------------------------------------
@pytest.mark.parametrize('encoder', ['MLPControlEncoder', 'ConvControlEncoder'])
def test_it_learns_to_follow_its_control(encoder):
    """Residuals are -1 or 1 as the control says, which nothing else tells."""
    conditioning = dict(control=dict(type=encoder, control_dim=1, dim=8), control_dropout=0.2)
    model = build('TemporalConvNet', conditioning=conditioning).train()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)

    def batch(count):
        control = torch.randint(0, 2, (count, T, 1), generator=generator) * 2 - 1.0
        start = torch.randn(count, 1, N, generator=generator)
        return torch.cat([start, start + control[:, 1:].expand(-1, -1, N)], dim=1), control

    for _ in range(250):
        motion, control = batch(64)
        optimizer.zero_grad()
        model.loss(dict(motion=motion, control=control), generator=generator)['loss_diffusion'].backward()
        optimizer.step()
    model.eval()
    motion, control = batch(64)
    noise = torch.randn(64, T - 1, N, generator=generator)

    def agreement(**options):
        residuals = model.sample(motion[:, 0], noise=noise, **options)[:, 1:] - motion[:, :1]
        return float((residuals.sign() == control[:, 1:]).float().mean())

    assert agreement(control=control) > 0.97
    assert agreement(control=-control) < 0.03
    assert 0.35 < agreement() < 0.65
    assert 0.35 < agreement(control=control, guidance_scales=dict(control=0)) < 0.65


def test_control_statistics_are_part_of_the_weights():
    model, control = build(conditioning=CONTROL), normal(2, T, C)
    noise, start = normal(2, T - 1, N), normal(2, N)
    before = model.sample(start, noise=noise, control=control)
    state = {**model.state_dict(), 'conditioning.control_encoder.mean': torch.tensor([1.0, 2.0, 3.0]),
             'conditioning.control_encoder.std': torch.tensor([2.0, 4.0, 0.5])}
    model.load_state_dict(state)
    rescaled = control * torch.tensor([2.0, 4.0, 0.5]) + torch.tensor([1.0, 2.0, 3.0])
    assert torch.allclose(model.sample(start, noise=noise, control=rescaled), before, atol=1e-4)
    assert not torch.allclose(model.sample(start, noise=noise, control=control), before, atol=1e-3)


def test_no_new_weights_without_control():
    assert not [key for key in build().state_dict() if 'control' in key or key.startswith('conditioning')]


@pytest.mark.parametrize('call, message', [
    (lambda m: m.sample(normal(2, N), control=normal(2, 4, C)), 'control sequence has 4 frames and the motion 6'),
    (lambda m: m.loss(dict(motion=normal(2, T, N), control=normal(2, 9, C))), 'has 9 frames and the motion 6'),
    (lambda m: m.extend(normal(2, N), 20, control=normal(2, 19, C)), 'has 19 frames and the motion 20'),
    (lambda m: m.sample(normal(2, N), control=normal(1, T, C)), '1 control sequences for 2 motion sequences'),
    (lambda m: m.sample(normal(2, N), control=normal(2, T, C) / 0), 'not finite'),
    (lambda m: m.sample(normal(2, N), control=normal(2, T, C + 1)), 'has 4 channels, .* trained with 3; give'),
    (lambda m: m.sample(normal(2, N), guidance_scales=dict(start=2)), 'start_dropout=0.1'),
    (lambda m: m.sample(normal(2, N), guidance_scales=dict(pose=2)), "'pose' is unknown; the conditions are start, "),
])
def test_a_wrong_control_is_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call(build(conditioning=CONTROL))


@pytest.mark.parametrize('conditioning, message', [
    (dict(contrl=None), 'conditioning.contrl is unknown; the keys are control, control_dropout'),
    (dict(start_dropout=1.0), 'conditioning.start_dropout=1.0 must be at least 0 and below 1'),
    (dict(CONTROL, control_dropout=0, guidance_scales=dict(control=2)), 'conditioning.control_dropout=0.1')])
def test_wrong_options_are_one_sentence(conditioning, message):
    with pytest.raises(UserError, match=message):
        build(conditioning=conditioning)


def test_a_control_and_its_encoder_need_each_other():
    with pytest.raises(UserError, match='has no control encoder'):
        build().sample(normal(2, N), control=normal(2, T, C))
    obligatory = build(conditioning=dict(CONTROL, control_dropout=0))
    with pytest.raises(UserError, match='needs a control sequence'):
        obligatory.sample(normal(2, N))
    with pytest.raises(UserError, match='needs a control sequence'):
        obligatory.loss(dict(motion=normal(2, T, N)))
    with pytest.raises(UserError, match='start_dropout needs a condition on the first code'):
        build(condition='NoMotionCondition', conditioning=dict(start_dropout=0.1))


# ---- guidance --------------------------------------------------------------
def test_guidance_in_order_is_the_documented_formula():
    """D0 + s1 (D1 - D0) + s2 (D2 - D1), and denoisers without weight are not evaluated."""
    values = [Prediction(normal(2, 3, seed=k), normal(2, 3, seed=10 + k)) for k in range(3)]
    calls = []

    def denoiser(k):
        return lambda x, t: calls.append(k) or values[k]

    for scales, evaluated in (((1.5, 3.0), [0, 1, 2]), ((2.0, 2.0), [0, 2]), ((1.0, 1.0), [2]), ((1.0, 4.0), [1, 2]),
                              ((0.0, 0.0), [0])):
        calls.clear()
        out = guide_in_order([denoiser(k) for k in range(3)], scales)(None, None)
        for part, (a, b, c) in zip(out, zip(*values)):
            assert torch.allclose(part, a + scales[0] * (b - a) + scales[1] * (c - b), atol=1e-6)
        assert calls == evaluated
    with pytest.raises(ValueError, match='2 guidance scales need 3 denoisers, got 2'):
        guide_in_order([denoiser(0), denoiser(1)], (1.0, 2.0))


def test_each_condition_has_its_scale():
    model = build(conditioning=dict(CONTROL, start_dropout=0.1))
    start, control, x, t = normal(2, N), normal(2, T, C), normal(2, T - 1, N), torch.tensor([500, 10])

    def x0(a, b):
        return model.denoiser(start, control=control, guidance_scales=dict(start=a, control=b))(x, t).x0

    none, with_start, with_both = x0(0, 0), x0(1, 0), x0(1, 1)
    assert not torch.allclose(none, with_start, atol=1e-3) and not torch.allclose(with_start, with_both, atol=1e-3)
    expected = none + 1.5 * (with_start - none) + 3 * (with_both - with_start)
    assert torch.allclose(x0(1.5, 3), expected, atol=1e-4)
    assert torch.allclose(model.denoiser(start)(x, t).x0, with_start)  # without a control
    other = model.denoiser(start + 1, control=control, guidance_scales=dict(start=0, control=0))(x, t).x0
    assert torch.allclose(other, none)  # a dropped start is not seen


def test_the_scales_of_the_config_are_the_default():
    conditioning = dict(CONTROL, guidance_scales=dict(control=3.0))
    start, control, noise = normal(2, N), normal(2, T, C), normal(2, T - 1, N)
    guided = build(conditioning=conditioning).sample(start, noise=noise, control=control)
    plain = build(conditioning=CONTROL)
    assert torch.equal(guided, plain.sample(start, noise=noise, control=control, guidance_scales=dict(control=3.0)))
    assert not torch.allclose(guided, plain.sample(start, noise=noise, control=control), atol=1e-3)


def test_training_drops_each_condition_at_its_rate():
    model, seen = build(conditioning=dict(CONTROL, control_dropout=0.25, start_dropout=0.5)), []
    model.backbone.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append((args[0], args[2], kwargs['control'])), with_kwargs=True)
    motion = 5 + normal(4000, T, N)
    model.loss(dict(motion=motion, control=normal(4000, T, C)), generator=torch.Generator().manual_seed(3))
    x, flag, control = seen[0]
    kept, flag = control[..., -1].detach(), flag.detach()
    assert torch.equal(kept, kept[:, :1].expand_as(kept)) and not control[kept == 0].any()
    assert abs(float(kept[:, 0].mean()) - 0.75) < 0.03 and abs(float(flag.mean()) - 0.5) < 0.03
    assert torch.equal(flag[:, 0] == 0, (x[:, 0] == 0).all(-1))
    both = (kept[:, 0] * flag[:, 0]).mean()
    assert abs(float(both) - 0.375) < 0.03  # independently


# ---- long sequences --------------------------------------------------------
@pytest.mark.parametrize('strategy', ['LastCode', 'History', 'Overlap'])
def test_windows_get_their_part_of_the_control(strategy):
    options = dict(LastCode={}, History=dict(context_frames=2), Overlap=dict(overlap=3))[strategy]
    model, seen = build(conditioning=CONTROL), []
    model.conditioning.control_encoder.register_forward_pre_hook(lambda module, args: seen.append(args[0][:, :, 0]))
    control = torch.arange(14.0)[None, :, None].expand(1, 14, C)
    chunks = list(model.extend(normal(1, N), 14, control=control, long_video=dict(type=strategy, **options)))
    assert sum(chunk.shape[1] for chunk in chunks) == 14
    starts = [0]
    for rows in seen[1:]:
        if int(rows[0, 0]) != starts[-1]:
            starts.append(int(rows[0, 0]))
    step = T - dict(LastCode=1, History=2, Overlap=3)[strategy]
    assert starts == list(range(0, step * len(starts), step))
    for rows in seen:
        first = int(rows[0, 0])
        assert rows[0].tolist() == [min(first + k, 13) for k in range(T)]  # the last row is held


@pytest.mark.parametrize('condition', ['LinearMotionCondition', 'NoMotionCondition'])
@pytest.mark.parametrize('strategy', [dict(type='LastCode'), dict(type='History', context_frames=2),
                                      dict(type='Overlap', overlap=3)])
def test_a_long_sequence_passes_through_given_codes(condition, strategy):
    model, start = build(condition=condition), normal(2, N)
    codes, mask = 3 * normal(2, 23, N, seed=4), torch.zeros(23, dtype=torch.bool)
    mask[[4, 9, 15, 22]] = True
    generators = generators_from_seeds([1, 2])
    known = KnownCodes(codes, mask, reach=3)
    motion = torch.cat(list(model.extend(start, 23, known=known, long_video=strategy, generator=generators)), dim=1)
    assert motion.shape == (2, 23, N) and torch.equal(motion[:, mask], codes[:, mask])
    assert torch.isfinite(motion).all()
    if model.motion_condition.uses_start:
        assert torch.equal(motion[:, 0], start)
    late = KnownCodes(codes, torch.arange(23) == 15, reach=3)  # beyond the first window
    free, steered = [next(model.extend(start, 23, known=given, long_video=strategy,
                                       generator=generators_from_seeds([1, 2]))) for given in (None, late)]
    assert torch.allclose(free, steered, atol=1e-4)


def test_given_codes_within_one_window_equal_inpainting():
    model, start, codes = build(), normal(2, N), normal(2, T, N, seed=4)
    codes[:, 0], mask = start, torch.tensor([True, False, False, True, False, True])
    inpainted = model.inpaint(codes, mask, reach=2, generator=generators_from_seeds([1, 2]))
    windows = model.extend(start, T, known=KnownCodes(codes, mask, 2), generator=generators_from_seeds([1, 2]))
    assert torch.allclose(torch.cat(list(windows), dim=1), inpainted, atol=1e-5)


@pytest.mark.parametrize('codes, mask, message', [
    ((2, 9, N), (8,), r'known.mask must have shape \(9\)'), ((2, 9, N), (1, 9), r'known.mask must have shape \(2, 9\)'),
    ((2, 8, N), (9,), r'known.codes must have shape \(2, 9, 2\)')])
def test_given_codes_of_another_length_are_one_sentence(codes, mask, message):
    with pytest.raises(ValueError, match=message):
        build().extend(normal(2, N), 9, known=KnownCodes(normal(*codes), torch.ones(mask, dtype=torch.bool)))


# ---- small sizes -----------------------------------------------------------
@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('batch, frames, motion_dim', [(1, 2, 1), (1, 2, 2), (3, 2, 1), (1, 6, 1)])
def test_smallest_sizes_train_and_sample(backbone, batch, frames, motion_dim):
    model = build(backbone, motion_dim=motion_dim, conditioning=dict(CONTROL, start_dropout=0.1)).train()
    control = normal(batch, frames, C)
    loss = model.loss(dict(motion=normal(batch, frames, motion_dim), control=control))['loss_diffusion']
    loss.backward()
    assert torch.isfinite(loss)
    motion = model.eval().sample(normal(batch, motion_dim), frames, control=control,
                                 guidance_scales=dict(start=2, control=2))
    assert motion.shape == (batch, frames, motion_dim) and torch.isfinite(motion).all()


def test_a_backbone_without_mask_is_named():
    model = build()
    model.backbone.forward = lambda x, t, cond=None: x
    with pytest.raises(UserError, match='the diffusion backbone UNet1D takes no mask'):
        model.sample(normal(2, N), lengths=[3, 6])


class VectorCondition(LinearMotionCondition):
    """The first code as a condition vector too."""

    def network_input(self, noisy, start):
        return NetworkInput(self.assemble(noisy, start), cond=start)


def test_the_flag_follows_the_condition_vector():
    """Of two samples, the second one without its first code: zeros and a flag of 0, in sequence and vector."""
    conditioning, seen = MotionConditioning(VectorCondition(), start_dropout=0.5), []

    def backbone(x, t, cond):
        seen.append((x, cond))
        return x

    start, noisy = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(2, 3, 2)
    network = conditioning.network(backbone, Given(start), dict(start=torch.tensor([True, False])))
    assert torch.equal(network(noisy, None), noisy + torch.tensor([[[1.0, 2.0]], [[0.0, 0.0]]]))
    (x, cond), = seen
    assert cond.tolist() == [[1, 2, 1], [0, 0, 0]] and x[:, 0].tolist() == [[1, 2], [0, 0]]
    assert conditioning.backbone_options(dict(cond_dim=2)) == dict(cond_dim=3)
    assert conditioning.backbone_options({}) == dict(cond_dim=1)


def test_the_defaults_and_limits_of_the_options():
    assert defaults(MotionConditioning) == dict(control_dropout=0.1, start_dropout=0.0)
    assert MotionConditioning(LinearMotionCondition()).dropout == dict(start=0.0, control=0.0)
    control = dict(type='MLPControlEncoder', control_dim=C)
    assert MotionConditioning(LinearMotionCondition(), control=control).dropout == dict(start=0.0, control=0.1)
    for rate in (1.0, -0.01):
        with pytest.raises(UserError, match='control_dropout.*at least 0 and below 1'):
            MotionConditioning(LinearMotionCondition(), control=control, control_dropout=rate)
        with pytest.raises(UserError, match='start_dropout.*at least 0 and below 1'):
            MotionConditioning(LinearMotionCondition(), start_dropout=rate)
    with pytest.raises(UserError, match='NoMotionCondition is none'):
        MotionConditioning(NoMotionCondition(), start_dropout=0.1)


def test_the_fraction_of_dropped_samples_is_the_rate():
    conditioning, seen = MotionConditioning(LinearMotionCondition(), start_dropout=0.3), []

    def backbone(x, t, cond):
        seen.append(cond[:, 0])
        return x

    network = conditioning.training_network(backbone, Given(torch.ones(5000, 1)), torch.Generator().manual_seed(0))
    network(torch.zeros(5000, 1, 1), None)
    assert seen[0].mean().item() == pytest.approx(0.7, abs=0.02)


def test_without_dropout_every_sample_sees_its_conditions():
    control = dict(type='MLPControlEncoder', control_dim=C, dim=8)
    conditioning, seen = MotionConditioning(LinearMotionCondition(), control=control, start_dropout=0.5), []

    def backbone(x, t, cond, control):
        seen.append((x[:, 0], cond, control[..., -1]))
        return x

    start = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    conditioning.network(backbone, Given(start, torch.zeros(2, T, C)))(torch.zeros(2, T - 1, 2), None)
    conditioning.network(backbone, Given(start))(torch.zeros(2, T - 1, 2), None)  # control that is missing is dropped
    (first, flag, control_flag), (_, _, missing) = seen
    assert torch.equal(first, start) and flag.eq(1).all() and control_flag.eq(1).all() and missing.eq(0).all()
