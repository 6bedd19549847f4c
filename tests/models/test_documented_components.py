"""The components that docs/motion_diffusion.md shows run as they are written there."""

import functools
import importlib
import math
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import leokit
from leokit.datasets import CodeCacheWriter, save_controls
from leokit.models import MotionDiffusion
from leokit.noise_schedulers import Prediction
from leokit.registry import (
    CONTROL_ENCODERS, DIFFUSION_BACKBONES, DISTILLATIONS, MOTION_CONDITIONS, NOISE_SCHEDULERS, SAMPLERS, TIME_SAMPLERS)
from leokit.samplers import EulerSampler
from support.calling import run_command

PAGE = Path(__file__).parents[2] / 'docs' / 'motion_diffusion.md'
ADDING = PAGE.read_text().partition('\n## Adding a process')[2]
N, T, C = 3, 6, 2
BACKBONE = dict(type='TemporalConvNet', channels=16, depth=2, cycle=2, embedding_dim=16)
REGISTRIES = (CONTROL_ENCODERS, DIFFUSION_BACKBONES, DISTILLATIONS, MOTION_CONDITIONS, NOISE_SCHEDULERS, SAMPLERS,
              TIME_SAMPLERS)


def documented_files():
    """The files of the page: name without ending, and code. The text before a block names its file last."""
    parts = re.split(r'```python\n(.*?)```', ADDING, flags=re.DOTALL)
    return {re.findall(r'`(\w+)\.py`', prose)[-1]: code for prose, code in zip(parts[::2], parts[1::2])}


def documented_trainings():
    """The arguments of ``leokit train`` in the commands of the page."""
    blocks = '\n'.join(re.findall(r'```bash\n(.*?)```', ADDING, re.DOTALL)).replace('\\\n', ' ')
    words = [shlex.split(line) for line in blocks.splitlines() if line]
    assert all(line[:3] == ['PYTHONPATH=.', 'leokit', 'train'] for line in words)
    return [line[3:] for line in words]


@pytest.fixture(scope='module')
def components(tmp_path_factory):
    """The folder of the documented files, which have been imported from there."""
    folder, files = tmp_path_factory.mktemp('components'), documented_files()
    before = [set(registry.module_dict) for registry in REGISTRIES]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        for name, code in files.items():
            (folder / f'{name}.py').write_text(code)
            patch.delitem(sys.modules, name, raising=False)
            importlib.import_module(name)
        yield folder
        for name in files:
            del sys.modules[name]
    for registry, names in zip(REGISTRIES, before):
        for name in set(registry.module_dict) - names:
            del registry.module_dict[name]


def test_each_is_one_file_with_one_class_of_less_than_30_lines():
    files = documented_files()
    assert len(files) == 7
    for code in files.values():
        assert len(code.splitlines()) < 30
        assert len(re.findall('^class ', code, re.MULTILINE)) == len(re.findall(r'register_module\(\)', code)) == 1


def test_there_is_a_command_for_each():
    imports = [re.findall(r"custom_imports.imports=\['(\w+)'\]", ' '.join(words)) for words in documented_trainings()]
    assert imports == [[name] for name in documented_files()]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder to work in, with codes, a control file and a trained teacher; options of a small, short training."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    codes = {f'v{number}': random.normal(size=(20, 20)).cumsum(axis=0).astype(np.float32) for number in range(4)}
    with CodeCacheWriter('codes', 20, animator=dict(weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for name, rows in codes.items():
            writer.add(name, rows, identity=name, split='train', fps=25.0)
    save_controls('poses.npz', {name: rows[:, :3] for name, rows in codes.items()}, channels=('yaw', 'pitch', 'roll'))
    small = ['data_root=None', 'codes_dir=codes', 'code_filters={}', 'val_cfg=None', 'max_iters=2', 'num_frames=8',
             'sequences_per_batch=4', 'teacher.config=None']
    network = ['model.backbone.channels=(16,)', 'model.backbone.attention_levels=()', 'model.backbone.head_dim=16',
               'model.backbone.num_blocks=1']
    run_command('train', 'lmdm_synthetic_flow', '--work-dir', 'work_dirs/lmdm_synthetic_flow', '--cfg-options',
                *small[:-1], *network)
    return small, network


@pytest.mark.parametrize('name, words', [*zip(documented_files(), documented_trainings())], ids=documented_files())
def test_the_documented_command_trains_it(components, data, monkeypatch, name, words):
    small, network = data
    kind, = (value for value in vars(importlib.import_module(name)).values()
             if isinstance(value, type) and value.__module__ == name)
    built = []
    monkeypatch.setattr(kind, '__init__', count_calls(kind.__init__, built))
    options = [*small[:None if 'progressive' in words[0] else -1], *([] if name == 'frame_mlp' else network)]
    run_command('train', *words, *options, '--work-dir', 'run')
    assert built == [kind]
    model = leokit.load('run')
    control = None if model.conditioning.control_encoder is None else torch.zeros(2, 8, 3)
    assert model.sample(torch.zeros(2, 20), control=control).isfinite().all()


def count_calls(function, calls):
    """The constructor, which notes the type of what it constructs."""
    def noted(self, *args, **kwargs):
        calls.append(type(self))
        function(self, *args, **kwargs)
    return functools.wraps(function)(noted)


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
