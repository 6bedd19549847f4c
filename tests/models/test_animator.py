from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from models.lia_reference import image, reference_state

from leokit.models import Animator, from_lia
from leokit.registry import LOSSES, MODELS

PREPROCESSOR = dict(type='mmengine.BaseDataPreprocessor')
# largest float32-against-float64 difference of the reference itself is 2.3e-5 (recon_relative)
TOLERANCE = dict(motion=1e-5, directions=1e-6, latent=5e-6, flow=1e-5, image=7e-5)


def small_animator(**options):
    torch.manual_seed(0)
    return Animator(32, 16, motion_dim=4, max_channels=8, data_preprocessor=PREPROCESSOR, **options)


@pytest.fixture(scope='module')
def reference():
    return {k: torch.from_numpy(v) for k, v in np.load(Path(__file__).parent / 'data' / 'lia_64.npz').items()}


@pytest.fixture(scope='module')
def lia():
    animator = Animator(64, data_preprocessor=PREPROCESSOR).eval()
    animator.load_state_dict(from_lia(reference_state(animator))[0])
    return animator


@torch.no_grad()
def test_parity_of_encoder_and_motion_space(lia, reference):
    source, driving, start = (lia.encode(image(name)) for name in ('source', 'driving', 'start'))
    for name, encoding in dict(source=source, driving=driving, start=start).items():
        torch.testing.assert_close(encoding.motion, reference[f'motion_{name}'], atol=TOLERANCE['motion'], rtol=0)
    torch.testing.assert_close(source.appearance, reference['wa'], atol=TOLERANCE['latent'], rtol=0)
    torch.testing.assert_close(
        lia.motion_space.directions()[::16], reference['directions'], atol=TOLERANCE['directions'], rtol=0)
    latent = lia.motion_space(source.appearance, driving.motion)
    torch.testing.assert_close(latent, reference['latent_absolute'], atol=TOLERANCE['latent'], rtol=0)
    torch.testing.assert_close(
        latent - source.appearance, reference['dir_driving'], atol=TOLERANCE['latent'], rtol=0)
    statistics = torch.stack([torch.stack((f.mean(), f.std(unbiased=False))) for f in source.features])
    torch.testing.assert_close(statistics, reference['feat_mean_std'], atol=1e-6, rtol=0)


@torch.no_grad()
def test_parity_of_images_and_flow_maps(lia, reference):
    raw = []
    hooks = [level.to_flow.register_forward_hook(lambda *call: raw.append(call[-1]))
             for level in lia.flow_generator.levels]
    source, driving = lia.encode(image('source')), lia.encode(image('driving'))
    absolute = lia.animate(source, driving.motion).frames
    for hook in hooks:
        hook.remove()
    for resolution, values in zip((8, 16, 32, 64), raw):
        probe = values[:, :, ::resolution // 8, ::resolution // 8]
        torch.testing.assert_close(probe, reference[f'flow_mask_raw_{resolution}'], atol=TOLERANCE['flow'], rtol=0)
    start = lia.encode(image('start')).motion
    moved = source.motion.clone()
    moved[:, 3] += 1.5
    images = dict(recon_absolute=absolute, recon_absolute_from64=absolute,
                    recon_relative=lia.animate(source, driving.motion, start=start).frames,
                    manipulated=lia.animate(source, moved).frames)
    for name, frames in images.items():
        torch.testing.assert_close(frames[..., ::4, ::4], reference[name], atol=TOLERANCE['image'], rtol=0)


@torch.no_grad()
def test_a_sequence_equals_its_frames():
    animator = small_animator(flow_generator=dict(type='LIAFlowGenerator', init='reference')).eval()
    encoding = animator.encode(torch.randn(2, 3, 32, 32))
    motion = torch.randn(2, 3, 4)
    sequence = animator.animate(encoding, motion)
    assert sequence.frames.shape == (2, 3, 3, 32, 32)
    assert [f.shape for f in sequence.flows] == [(2, 3, 2, s, s) for s in (8, 16, 32)]
    for t in range(3):
        frame = animator.animate(encoding, motion[:, t])
        torch.testing.assert_close(sequence.frames[:, t], frame.frames, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(sequence.masks[-1][:, t], frame.masks[-1], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_one_image_serves_many_motions():
    animator = small_animator(flow_generator=dict(type='LIAFlowGenerator', init='reference')).eval()
    encoding = animator.encode(torch.randn(1, 3, 32, 32))
    motion = torch.randn(3, 2, 4)
    together = animator.animate(encoding, motion).frames
    torch.testing.assert_close(together[1:2], animator.animate(encoding, motion[1:2]).frames, atol=1e-4, rtol=1e-4)


def test_motion_of_another_shape_is_an_error():
    animator = small_animator()
    encoding = animator.encode(torch.randn(2, 3, 32, 32))
    with pytest.raises(ValueError, match='batch 3'):
        animator.animate(encoding, torch.randn(3, 4))
    with pytest.raises(ValueError, match='motion must have shape'):
        animator.animate(encoding, torch.randn(2, 5))


def test_every_parameter_gets_a_gradient_and_the_hash_covers_inference_only():
    LOSSES.get('L1Loss')  # imports the room
    animator = small_animator(
        flow_generator=dict(type='LIAFlowGenerator', init='reference'),
        training=dict(losses=[dict(type='L1Loss')], discriminator=dict(type='StyleGAN2Discriminator'),
                      r1=dict(type='R1Penalty', interval=1)))
    before = animator.weights_hash()
    pair = dict(source=torch.randn(4, 3, 32, 32), driving=torch.randn(4, 3, 32, 32))
    terms = animator(pair, mode='loss')
    assert set(terms) == {'loss_l1', 'loss_adversarial', 'loss_discriminator', 'loss_r1'}
    sum(terms.values()).backward()
    missing = [name for name, weight in animator.named_parameters() if weight.grad is None or not weight.grad.any()]
    # the blend of the last resolution is never used: its trunk only gives the last flow and mask
    assert missing == []
    with torch.no_grad():
        next(animator.discriminator.parameters()).add_(1)
    assert animator.weights_hash() == before
    with torch.no_grad():
        next(animator.encoder.parameters()).add_(1)
    assert animator.weights_hash() != before


def test_adversarial_gradients_stay_in_their_halves():
    animator = small_animator(
        training=dict(losses=[dict(type='L1Loss')], discriminator=dict(type='StyleGAN2Discriminator')))
    pair = dict(source=torch.randn(4, 3, 32, 32), driving=torch.randn(4, 3, 32, 32))
    terms = animator(pair, mode='loss')
    terms['loss_adversarial'].backward(retain_graph=True)
    assert all(weight.grad is None for weight in animator.discriminator.parameters())
    animator.zero_grad()
    terms['loss_discriminator'].backward()
    assert all(weight.grad is None for weight in animator.encoder.parameters())
    assert all(weight.grad is not None for weight in animator.discriminator.parameters())


def test_adversarial_terms_carry_their_weights(monkeypatch):
    """Against the formulas of the non-saturating loss and R1, on the logits of the animator's own discriminator."""
    animator = small_animator(training=dict(
        losses=[dict(type='L1Loss')], discriminator=dict(type='StyleGAN2Discriminator'),
        adversarial=dict(type='NonSaturatingLoss', weight=0.25), r1=dict(type='R1Penalty', weight=0.4, interval=3)))
    pair = dict(source=torch.randn(4, 3, 32, 32), driving=torch.randn(4, 3, 32, 32))
    fake = animator.transfer(**pair).frames.detach()
    real_logits, fake_logits = animator.discriminator(pair['driving']), animator.discriminator(fake)
    image = pair['driving'].clone().requires_grad_()
    gradient, = torch.autograd.grad(animator.discriminator(image).sum(), image)
    penalty = 0.4 / 2 * gradient.square().sum((1, 2, 3)).mean()
    runtime_info = MessageHub.get_current_instance().runtime_info  # where a Runner writes the iteration
    for iteration, lazy in ((0, 3.0), (1, 0.0), (2, 0.0), (3, 3.0)):
        monkeypatch.setitem(runtime_info, 'iter', iteration)
        terms = animator(pair, mode='loss')
        close(terms['loss_adversarial'], 0.25 * torch.log1p((-fake_logits).exp()).mean())
        close(terms['loss_discriminator'], torch.log1p((-real_logits).exp()).mean() + torch.log1p(
            fake_logits.exp()).mean())
        close(terms['loss_r1'], lazy * penalty)


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_it_learns_to_shift():
    torch.manual_seed(0)
    animator = Animator(32, 16, motion_dim=4, max_channels=16, data_preprocessor=PREPROCESSOR,
                        training=dict(losses=[dict(type='L1Loss')]))
    optimizer = torch.optim.Adam(animator.parameters(), lr=1e-2, betas=(0.9, 0.99))
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing='ij')

    def spot(x):
        return (torch.exp(-((columns - x.view(-1, 1, 1)) ** 2 + rows**2) * 8) * 2 - 1)[:, None].repeat(1, 3, 1, 1)

    for _ in range(120):
        terms = animator(dict(source=spot(torch.rand(8) - 0.5), driving=spot(torch.rand(8) - 0.5)), mode='loss')
        terms['loss_l1'].backward()
        optimizer.step()
        optimizer.zero_grad()
    source, driving = spot(torch.tensor([-0.4, 0.4])), spot(torch.tensor([0.4, -0.4]))
    with torch.no_grad():
        error = (animator.transfer(source, driving).frames - driving).abs().mean()
    assert error < 0.5 * (source - driving).abs().mean()


def test_predict_gives_one_record_per_sample():
    records = small_animator()(dict(source=torch.zeros(2, 3, 32, 32), driving=torch.zeros(2, 3, 32, 32)),
                               dict(name=['a', 'b']), mode='predict')
    assert [record['name'] for record in records] == ['a', 'b']
    assert records[0]['reconstruction'].shape == (3, 32, 32) and records[0]['flow'].shape == (2, 32, 32)


def test_built_from_the_registry_and_unknown_mode():
    animator = MODELS.build(dict(type='Animator', size=32, max_channels=8, data_preprocessor=PREPROCESSOR))
    assert animator.motion_dim == 20
    with pytest.raises(ValueError, match="'loss', 'predict' or 'tensor'"):
        animator(dict(source=None, driving=None), mode='train')
    with pytest.raises(ValueError, match='training.losses'):
        animator(dict(source=torch.zeros(1, 3, 32, 32), driving=torch.zeros(1, 3, 32, 32)), mode='loss')


def test_no_graph_breaks():
    animator = small_animator()
    step = torch.compile(lambda s, d: animator.transfer(s, d).frames, fullgraph=True, backend='eager')
    source, driving = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(step(source, driving), animator.transfer(source, driving).frames, atol=1e-4, rtol=1e-4)


def test_the_motion_view_is_encoded_and_the_driving_frame_is_the_target():
    animator = small_animator(training=dict(losses=[dict(type='L1Loss')]),
                              flow_generator=dict(type='LIAFlowGenerator', init='reference'))
    source, driving, view = (torch.randn(2, 3, 32, 32) for _ in range(3))
    expected = (animator.transfer(source, view).frames - driving).abs().mean()
    got = animator(dict(source=source, driving=driving, motion_view=view), mode='loss')['loss_l1']
    torch.testing.assert_close(got, expected)


def test_compiled_parts_give_the_same_losses_and_gradients_under_the_same_keys():
    options = dict(flow_generator=dict(type='LIAFlowGenerator', init='reference'),
                   training=dict(losses=[dict(type='L1Loss')], discriminator=dict(type='StyleGAN2Discriminator'),
                                 r1=dict(type='R1Penalty', interval=1)))
    plain, compiled = small_animator(**options), small_animator(**options)
    compiled.compile_parts(backend='eager')  # traced backward passes are compared in test_single_backward.py
    assert list(compiled.state_dict()) == list(plain.state_dict())
    generator = torch.Generator().manual_seed(0)
    pair = {key: torch.randn(4, 3, 32, 32, generator=generator) for key in ('source', 'driving')}
    for animator in (plain, compiled):
        sum(animator(dict(pair), mode='loss').values()).backward()
    for (name, expected), got in zip(plain.named_parameters(), compiled.parameters()):
        torch.testing.assert_close(got.grad, expected.grad, rtol=1e-3, atol=1e-4,
                                   msg=lambda text, n=name: f'{n}: {text}')


def test_motion_has_two_or_three_dimensions():
    animator = small_animator()
    encoding = animator.encode(torch.randn(2, 3, 32, 32))
    for shape in ((4,), (2, 1, 3, 4)):
        with pytest.raises(ValueError, match=r'motion must have shape \(B, N\) or \(B, T, N\)'):
            animator.animate(encoding, torch.randn(shape))


def test_losses_and_parts_of_training_by_default():
    animator = small_animator(training=dict(discriminator=dict(type='StyleGAN2Discriminator')))
    assert type(animator.adversarial).__name__ == 'NonSaturatingLoss' and animator.r1 is None
    assert animator.discriminator.size == 32 and animator.discriminator.final_linear.weight.shape[0] == 8
    for part in ('adversarial', 'r1'):
        with pytest.raises(ValueError, match='need training.discriminator'):
            small_animator(training={part: dict(type='R1Penalty')})


@pytest.mark.parametrize('name, part', [('adversarial', 'losses'), ('r1', 'losses'), ('adversarial', 'r1')])
def test_two_terms_of_one_name_are_refused(name, part):
    """One would replace the other in the sum of the losses."""
    training = dict(losses=[dict(type='L1Loss')], discriminator=dict(type='StyleGAN2Discriminator'),
                    r1=dict(type='R1Penalty'))
    small_animator(training=training)
    changed = [dict(type='L1Loss', name=name)] if part == 'losses' else dict(type='R1Penalty', name=name)
    with pytest.raises(ValueError, match=f'two losses have the name {name!r}; set name of one of them'):
        small_animator(training={**training, part: changed})


def test_terms_without_weight_are_not_computed():
    animator = small_animator(training=dict(
        losses=[dict(type='L1Loss', weight=0.5), dict(type='ChangedPixelLoss', weight=0.0)],
        discriminator=dict(type='StyleGAN2Discriminator'), adversarial=dict(type='NonSaturatingLoss', weight=0.0)))
    source, driving = torch.randn(2, 2, 3, 32, 32)
    terms = animator(dict(source=source, driving=driving), mode='loss')
    assert set(terms) == {'loss_l1', 'loss_discriminator'}
    expected = 0.5 * (animator.transfer(source, driving).frames - driving).abs().mean()
    torch.testing.assert_close(terms['loss_l1'], expected)


@torch.no_grad()
def test_a_prediction_is_the_finest_level_of_the_transfer():
    animator = small_animator(flow_generator=dict(type='LIAFlowGenerator', init='reference')).eval()
    source, driving = torch.randn(2, 2, 3, 32, 32)
    animation, records = animator.transfer(source, driving), animator.predict(source, driving, {})
    encoding = animator.encode(source)
    frames = animator.animate(encoding, animator.encode(driving).motion).frames
    torch.testing.assert_close(animation.frames, frames, atol=1e-4, rtol=1e-4)
    for index, record in enumerate(records):
        expected = dict(source=source, driving=driving, reconstruction=animation.frames, flow=animation.flows[-1],
                        mask=animation.masks[-1])
        assert record.keys() == expected.keys()
        assert all(torch.equal(record[key], value[index]) for key, value in expected.items())
    assert records[0]['flow'].shape == (2, 32, 32) and records[0]['mask'].shape == (1, 32, 32)


def test_widths_and_the_preprocessor_by_default():
    assert type(Animator(32, 32, max_channels=8).data_preprocessor).__name__ == 'PixelPreprocessor'
    assert type(small_animator().data_preprocessor).__name__ == 'BaseDataPreprocessor'
    for widths in (dict(appearance_dim=0), dict(appearance_dim=2**16 + 1), dict(motion_dim=True), dict(motion_dim=4.0)):
        with pytest.raises(ValueError, match=f'{list(widths)[0]} must be an integer from 1 to 65536'):
            Animator(32, **widths)


def test_perceptual_losses_share_a_network_without_changing_losses_and_keys():
    backbone = dict(type='EfficientNetLite0Features')
    losses = [dict(type='PerceptualLoss', name=name, backbone=backbone, num_scales=1) for name in ('a', 'b')]
    animator = small_animator(training=dict(losses=losses))
    a, b = animator.losses
    assert a.backbone is b.backbone
    alone = small_animator(training=dict(losses=losses[:1]))
    assert animator.state_dict().keys() == alone.state_dict().keys() == small_animator().state_dict().keys()
    images = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    values = animator.loss(*images)
    assert values['loss_a'] > 0
    assert values['loss_a'] == values['loss_b'] == alone.loss(*images)['loss_a']
