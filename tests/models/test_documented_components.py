"""The components that docs/motion_diffusion.md shows run as they are written there."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from leokit.control_encoders import ControlEncoder
from leokit.models import MotionDiffusion
from leokit.motion_conditions import NetworkInput, NoMotionCondition
from leokit.registry import CONTROL_ENCODERS, MOTION_CONDITIONS, SAMPLERS
from leokit.samplers import Sampler

PAGE = Path(__file__).parents[2] / 'docs' / 'motion_diffusion.md'
N, T, C = 3, 6, 2
BACKBONE = dict(type='TemporalConvNet', channels=16, depth=2, cycle=2, embedding_dim=16)


def snippet(title):
    """The last block of Python code of a section."""
    section = PAGE.read_text().partition(f'\n## {title}\n')[2].partition('\n## ')[0]
    return re.findall(r'```python\n(.*?)```', section, re.DOTALL)[-1]


@pytest.fixture(scope='module')
def components():
    """The documented classes, registered for these tests."""
    names = dict(torch=torch, nn=nn, ControlEncoder=ControlEncoder, NetworkInput=NetworkInput, Sampler=Sampler,
                 NoMotionCondition=NoMotionCondition, CONTROL_ENCODERS=CONTROL_ENCODERS, SAMPLERS=SAMPLERS,
                 MOTION_CONDITIONS=MOTION_CONDITIONS)
    for title in ('Adding a condition, a control', 'Adding a process, a solver, a time distribution'):
        code = snippet(title)
        assert len(code.splitlines()) < 30
        exec(code, names)
    yield names
    for registry, name in ((MOTION_CONDITIONS, 'VectorMotionCondition'), (SAMPLERS, 'FinalStepSampler'),
                           (CONTROL_ENCODERS, 'VelocityControlEncoder')):
        del registry.module_dict[name]


def test_they_train_and_sample(components):
    torch.manual_seed(0)
    model = MotionDiffusion(
        N, T, backbone=dict(BACKBONE, cond_dim=N), motion_condition=dict(type='VectorMotionCondition'),
        sampler=dict(type='FinalStepSampler'), prediction_type='v',
        conditioning=dict(control=dict(type='VelocityControlEncoder', control_dim=C)))
    model.normalizer.set_statistics(torch.zeros(N), torch.ones(N))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    motion, control = torch.randn(8, T, N), torch.randn(8, T, C)
    for _ in range(5):
        optimizer.zero_grad()
        loss = model.loss(dict(motion=motion, control=control))['loss_diffusion']
        loss.backward()
        optimizer.step()
    assert torch.isfinite(loss)
    noise, model = torch.randn(8, T, N), model.eval()
    plain = model.sample(motion[:, 0], noise=noise, control=control)
    assert plain.shape == (8, T, N)
    assert not torch.allclose(plain, model.sample(motion[:, 0] + 1, noise=noise, control=control)[:, :], atol=1e-3)
    assert not torch.allclose(plain, model.sample(motion[:, 0], noise=noise, control=-control), atol=1e-3)
    # a single step at the last time jumps to the predicted clean sample
    t = torch.full((8,), model.diffusion.scheduler.num_train_timesteps - 1)
    x0 = model.denoiser(motion[:, 0], control=control)(noise, t).x0
    assert torch.allclose(plain[:, 1:], x0[:, 1:], atol=1e-5)


def test_the_change_of_a_control_counts(components):
    encoder = CONTROL_ENCODERS.build(dict(type='VelocityControlEncoder', control_dim=C, dim=4))
    nn.init.zeros_(encoder.linear.weight[:, :C])
    control = torch.randn(1, T, C)
    assert torch.allclose(encoder(control), encoder(control + 5), atol=1e-5)
    assert not torch.allclose(encoder(control), encoder(2 * control), atol=1e-3)
