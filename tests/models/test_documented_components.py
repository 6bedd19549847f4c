"""The components that docs/motion_diffusion.md shows run as they are written there."""

import math
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from leokit.control_encoders import ControlEncoder
from leokit.models import MotionDiffusion
from leokit.motion_conditions import NetworkInput, NoMotionCondition
from leokit.nn import TimeEmbedding
from leokit.noise_schedulers import GaussianPath, Prediction
from leokit.registry import (
    CONTROL_ENCODERS, DIFFUSION_BACKBONES, MOTION_CONDITIONS, NOISE_SCHEDULERS, SAMPLERS, TIME_SAMPLERS)
from leokit.samplers import EulerSampler, Sampler
from leokit.time_samplers import TimeSampler

PAGE = Path(__file__).parents[2] / 'docs' / 'motion_diffusion.md'
N, T, C = 3, 6, 2
BACKBONE = dict(type='TemporalConvNet', channels=16, depth=2, cycle=2, embedding_dim=16)


def snippets(title):
    """The blocks of Python code of a section."""
    section = PAGE.read_text().partition(f'\n## {title}\n')[2].partition('\n## ')[0]
    return re.findall(r'```python\n(.*?)```', section, re.DOTALL)


@pytest.fixture(scope='module')
def components():
    """The documented classes, registered for these tests."""
    names = dict(torch=torch, nn=nn, math=math, DIFFUSION_BACKBONES=DIFFUSION_BACKBONES, TimeEmbedding=TimeEmbedding,
                 NOISE_SCHEDULERS=NOISE_SCHEDULERS, GaussianPath=GaussianPath, TIME_SAMPLERS=TIME_SAMPLERS,
                 TimeSampler=TimeSampler, ControlEncoder=ControlEncoder, NetworkInput=NetworkInput, Sampler=Sampler,
                 NoMotionCondition=NoMotionCondition, CONTROL_ENCODERS=CONTROL_ENCODERS, SAMPLERS=SAMPLERS,
                 MOTION_CONDITIONS=MOTION_CONDITIONS)
    for title, count in (('Adding a condition, a control', 1), ('Adding a process, a solver, a time distribution', 2),
                         ('Adding a backbone', 1)):
        codes = snippets(title)
        assert len(codes) == count
        for code in codes:
            assert len(code.splitlines()) < 30
            exec(code, names)
    yield names
    for registry, name in ((MOTION_CONDITIONS, 'VectorMotionCondition'), (SAMPLERS, 'FinalStepSampler'),
                           (CONTROL_ENCODERS, 'VelocityControlEncoder'), (DIFFUSION_BACKBONES, 'FrameMLP'),
                           (NOISE_SCHEDULERS, 'TrigonometricScheduler'), (TIME_SAMPLERS, 'LateTimeSampler')):
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


def test_process_time_distribution_and_backbone_train_and_sample(components):
    torch.manual_seed(0)
    model = MotionDiffusion(
        N, T, backbone=dict(type='FrameMLP', dim=32), noise_scheduler=dict(type='TrigonometricScheduler'),
        prediction_type='v', time_sampler=dict(type='LateTimeSampler'),
        sampler=dict(type='EulerSampler', num_inference_steps=4))
    model.normalizer.set_statistics(torch.zeros(N), torch.ones(N))
    loss = model.loss(dict(motion=torch.randn(8, T, N)))['loss_diffusion']
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    times = model.diffusion.sample_times(1000, device=torch.device('cpu'))
    assert times.min() >= 500 and times.max() == 999
    assert model.eval().sample(torch.randn(2, N)).shape == (2, T, N)


def test_the_documented_process_is_a_path_whose_samples_are_gaussian(components):
    """Of data N(0, 0.25) the marginal at angle a is N(0, cos(a)^2 / 4 + sin(a)^2), and the flow scales linearly."""
    process = NOISE_SCHEDULERS.build(dict(type='TrigonometricScheduler', num_train_timesteps=400))
    t = torch.arange(-1, 400)
    angle = torch.linspace(0, math.pi / 2, 401, dtype=torch.float64)
    assert torch.allclose(process.path_time(t), angle)
    assert torch.allclose(process.signal_level(t) + process.noise_level(t), torch.ones(401, dtype=torch.float64))
    assert torch.allclose(process.half_log_snr(t[1:-1]), (angle[1:-1].cos() / angle[1:-1].sin()).log())

    def exact(x, t):
        signal, noise, _, _ = process.coefficients(t, x)
        total = signal ** 2 / 4 + noise ** 2
        return Prediction(signal / 4 / total * x, noise / total * x)

    noise = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(EulerSampler(400).sample(exact, noise, process), noise / 2, rtol=0.01)
