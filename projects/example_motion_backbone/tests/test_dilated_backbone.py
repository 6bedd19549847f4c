"""The example plug-in: contract, config, and a short training."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.datasets import CodeCacheWriter
from leokit.engine import LeoRunner
from leokit.registry import DIFFUSION_BACKBONES, MODELS
from leokit.utils import load_config
from leokit.utils.checkpoints import load_checkpoint

CONFIG = Path(__file__).parents[1] / 'configs' / 'lmdm_synthetic_dilated.py'
N, T = 4, 8
SMALL = {'motion_dim': N, 'num_frames': T, 'model.backbone.dim': 32, 'model.backbone.depth': 4}


@pytest.fixture
def config():
    """The config of the project with a small backbone."""
    return load_config(CONFIG, SMALL)


def smooth_codes(frames=400):
    """Codes of one long video, a sinusoid per dimension, shape (frames, N)."""
    phase = np.arange(frames)[:, None] * np.array([0.2, 0.31, 0.43, 0.5])
    return np.sin(phase + np.arange(N)).astype(np.float32)


def test_the_config_changes_only_the_backbone(config):
    model = MODELS.build(config.model)
    assert type(model.backbone).__name__ == 'DilatedBackbone'
    base = load_config(CONFIG.parents[3] / 'configs' / 'leo' / 'lmdm_synthetic.py', {'motion_dim': N, 'num_frames': T})
    assert {k: v for k, v in config.model.items() if k != 'backbone'} == {
        k: v for k, v in base.model.items() if k != 'backbone'}


@pytest.mark.parametrize('frames', [1, 5, 20])
def test_any_number_of_frames(config, frames):
    torch.manual_seed(0)
    backbone = DIFFUSION_BACKBONES.build(dict(config.model.backbone, motion_dim=N))
    x, t = torch.randn(3, frames, N), torch.tensor([0, 10, 999])
    assert torch.equal(backbone(x, t), torch.zeros_like(x))
    torch.nn.init.normal_(backbone.out.weight)
    out = backbone(x, t)
    assert out.shape == x.shape and not torch.allclose(out[:1], backbone(x[:1], t[1:2]), atol=1e-3)


def test_every_parameter_gets_a_gradient(config):
    backbone = DIFFUSION_BACKBONES.build(dict(config.model.backbone, motion_dim=N))
    torch.nn.init.normal_(backbone.out.weight)
    backbone(torch.randn(3, T, N), torch.tensor([0, 10, 999])).square().sum().backward()
    blocks = len(backbone.blocks)
    for name, parameter in backbone.named_parameters():
        gradient = parameter.grad
        if name.startswith(f'blocks.{blocks - 1}.mix'):  # the residual output of the last block is not used
            gradient = gradient.chunk(2)[1]
        assert gradient.abs().max() > 0, name


def test_training_reduces_the_loss(config, tmp_path):
    with CodeCacheWriter(tmp_path / 'codes', N, animator=dict(weights_hash='ab' * 32)) as writer:
        for number in range(4):
            writer.add(f'video_{number}', smooth_codes()[50 * number:], identity=str(number), split='train', fps=25.0)
    config = load_config(CONFIG, {
        **SMALL, 'codes_dir': str(tmp_path / 'codes'), 'max_iters': 120, 'sequences_per_batch': 64,
        'learning_rate': 5e-3, 'default_hooks.logger.interval': 20, 'val_cfg': None})
    config.work_dir = str(tmp_path / 'run')
    config.param_scheduler = None
    runner = LeoRunner.from_cfg(config)
    model = runner.model
    losses = []
    objective = model.loss
    model.loss = lambda *args, **kwargs: losses.append(objective(*args, **kwargs)) or losses[-1]
    runner.train()
    losses = [loss['loss_diffusion'].item() for loss in losses]
    assert len(losses) == 120 and all(map(math.isfinite, losses))
    last = np.mean(losses[-20:])
    assert last < 0.6 * np.mean(losses[:10])
    assert last < 0.2  # predicting zero has a loss of 1, the variance of the noise

    checkpoint = load_checkpoint(runner.work_dir + '/iter_120.pth')
    assert any(key.startswith('backbone.blocks.3') for key in checkpoint['state_dict'])
