"""The starting-code model."""

import pytest
import torch

from leokit.models import StartCodeDiffusion
from leokit.samplers import generators_from_seeds
from leokit.utils import UserError

N = 2


def build(**options):
    torch.manual_seed(0)
    model = StartCodeDiffusion(N, **{'backbone': dict(type='MLPDenoiser', dim=64, depth=2, embedding_dim=32),
                                     'sampler': dict(type='DDIMSampler', num_inference_steps=20),
                                     'prediction_type': 'x0', **options})
    model.normalizer.set_statistics([0.0, 0.0], [1.0, 1.0])
    return model


def test_frames_count_as_samples():
    model, motion = build(), torch.randn(3, 4, N)
    losses = [model.loss(dict(motion=codes), generator=torch.Generator().manual_seed(1))['loss_diffusion']
              for codes in (motion, motion.flatten(0, 1))]
    assert torch.equal(*losses)
    assert model(dict(motion=motion), mode='tensor').shape == (12, N)


def test_predict_compares_with_the_first_code():
    motion = torch.randn(3, 4, N)
    rows = build().predict(dict(motion=motion))
    assert torch.equal(torch.stack([row['real'] for row in rows]), motion[:, 0])
    assert rows[0]['generated'].shape == (N,)
    assert len(build().predict(dict(motion=motion[:, 0]))) == 3


def test_a_sample_does_not_depend_on_batch_mates():
    model = build(sampler=dict(type='DDIMSampler', num_inference_steps=5, eta=1.0))
    torch.nn.init.normal_(model.backbone.out.weight, std=0.1)
    together = model.sample(4, generator=generators_from_seeds(range(4)))
    assert together.shape == (4, N)
    assert torch.allclose(model.sample(1, generator=generators_from_seeds([2])), together[2:3], atol=1e-5)


def test_invalid_counts_are_an_error():
    with pytest.raises(UserError, match='at least 1'):
        build().sample(0)


def test_it_learns_a_distribution_of_codes():
    """Two separate clouds of unequal weight."""
    generator = torch.Generator().manual_seed(0)
    right = torch.rand(4096, 1, generator=generator) < 0.7
    codes = torch.where(right, torch.tensor([3.0, 1.0]), torch.tensor([-2.0, 0.0]))
    codes = codes + 0.3 * torch.randn(4096, N, generator=generator)
    model = build()
    model.normalizer.set_statistics(codes.mean(0), codes.std(0))
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, 300)
    for _ in range(300):
        batch = codes[torch.randint(0, len(codes), (256,), generator=generator)]
        optimizer.zero_grad()
        model.loss(dict(motion=batch), generator=generator)['loss_diffusion'].backward()
        optimizer.step()
        schedule.step()
    samples = model.sample(2000, generator=generator)
    share = samples[:, 0] > 0.5
    assert abs(share.float().mean() - 0.7) < 0.08
    assert torch.allclose(samples[share].mean(0), torch.tensor([3.0, 1.0]), atol=0.15)
    assert torch.allclose(samples[~share].mean(0), torch.tensor([-2.0, 0.0]), atol=0.2)
    assert (samples[share].std(0) - 0.3).abs().max() < 0.12


def test_a_network_that_knows_the_answer():
    """What it predicts is normalized: raw codes are 1 + 2 * 0.5 and -1 + 0.5 * 3."""
    model = build()
    model.normalizer.set_statistics([1.0, -1.0], [2.0, 0.5])
    model.backbone.forward = lambda x, t: torch.tensor([0.5, 3.0]).expand_as(x)
    torch.testing.assert_close(model.sample(3), torch.tensor([[2.0, 0.5]]).expand(3, N), atol=1e-5, rtol=0)


def test_sampling_needs_statistics_and_noise_of_the_right_shape():
    with pytest.raises(ValueError, match='noise must have shape'):
        build().sample(2, noise=torch.zeros(3, N))
    fresh = StartCodeDiffusion(N, backbone=dict(type='MLPDenoiser', dim=8, depth=1, embedding_dim=8))
    with pytest.raises(UserError, match='statistics of this model are not set'):
        fresh.sample(2)


def test_noise_decides_the_sample():
    model, noise = build(), torch.randn(2, N)
    torch.nn.init.normal_(model.backbone.out.weight, std=0.1)
    assert torch.equal(model.sample(2, noise=noise), model.sample(2, noise=noise))
    assert not torch.allclose(model.sample(2, noise=noise), model.sample(2, noise=-noise), atol=1e-3)
