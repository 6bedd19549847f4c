"""Modulations from a table of all times."""

import pytest
import torch

from leokit.diffusion_backbones import UNet1D
from leokit.diffusion_backbones.time_table import with_time_table
from leokit.models import MotionDiffusion

OPTIONS = dict(channels=(8, 16), attention_levels=(1,), head_dim=8, embedding_dim=8)


def randomized(module):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.3, generator=generator)
    return module.eval()


def test_the_output_is_that_without_a_table():
    backbone = randomized(UNet1D(3, **OPTIONS))
    x, t = torch.randn(5, 9, 3), torch.tensor([0, 999, 3, 3, 500])
    with torch.no_grad():
        expected = backbone(x, t)
        computed = []
        hook = backbone.embed.register_forward_hook(lambda *_: computed.append(1))
        tabulated = with_time_table(backbone, 1000)
        for _ in range(3):
            torch.testing.assert_close(tabulated(x, t), expected, rtol=1e-4, atol=1e-5)
        hook.remove()
    assert len(computed) == 1
    assert (backbone(x, t.flip(0)) - expected).abs().max() > 1e-3  # the time shows


def test_a_condition_is_part_of_the_modulation():
    backbone = UNet1D(3, cond_dim=2, **OPTIONS)
    assert with_time_table(backbone, 1000) is backbone


def test_backbones_without_a_table():
    linear = torch.nn.Linear(2, 2)
    assert with_time_table(linear, 1000) is linear


@pytest.mark.parametrize('sampler', [dict(type='DDIMSampler', num_inference_steps=5),
                                     dict(type='HeunSampler', num_inference_steps=4)])
def test_samples_are_those_without_a_table(sampler, monkeypatch):
    model = MotionDiffusion(3, 9, backbone=dict(type='UNet1D', **OPTIONS), sampler=sampler)
    randomized(model.backbone)
    ones = torch.ones(3)
    model.normalizer.set_statistics(mean=0 * ones, std=ones, residual_std=ones)
    start, noise = torch.randn(2, 3), torch.randn(2, 8, 3)
    before = model.sample(start, noise=noise)
    monkeypatch.setattr('leokit.models.motion_diffusion._launches_count', lambda device: True)
    tables = []
    computed = model.backbone.time_table
    monkeypatch.setattr(model.backbone, 'time_table', lambda count: tables.append(count) or computed(count))
    torch.testing.assert_close(model.sample(start, noise=noise), before, rtol=1e-3, atol=1e-4)
    assert tables == [1000]
    with torch.no_grad():  # the next sample uses the weights as they are then
        model.backbone.modulation.weight.mul_(2)
    assert (model.sample(start, noise=noise) - before).abs().max() > 1e-2
