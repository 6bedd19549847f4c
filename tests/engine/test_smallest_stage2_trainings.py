"""Stage 2 at its limits: `leokit train` works, or says in one sentence why not."""

import re

import numpy as np
import pytest
import torch
from support.calling import call_command

import leokit
from leokit.datasets import CodeCacheWriter
from leokit.models import MotionDiffusion

OPTIONS = ['animator=None', 'val_cfg=None', 'val_dataloader=None', 'val_evaluator=None', 'param_scheduler=None',
           'model.backbone.channels=[16]', 'model.backbone.num_blocks=1', 'model.backbone.attention_levels=[]',
           'model.backbone.embedding_dim=16', 'model.backbone.head_dim=8', 'data_root=none', 'max_iters=2']


def write_codes(folder, lengths, dim):
    random = np.random.default_rng(0)
    with CodeCacheWriter(folder, dim, animator=dict(weights_hash='ab' * 32, config='', checkpoint='')) as writer:
        for number, length in enumerate(lengths):
            writer.add(f'v{number}', random.normal(size=(length, dim)).astype(np.float32), identity=f'p{number}',
                       fps=25.0, split='train')
    return folder


def train(tmp_path, lengths, *, frames=8, dim=4, batch=4, more=()):
    codes = write_codes(tmp_path / 'codes', lengths, dim)
    return call_command('train', 'configs/leo/lmdm_synthetic.py', '--work-dir', tmp_path / 'run', '--cfg-options',
                        f'codes_dir={codes}', f'num_frames={frames}', f'motion_dim={dim}',
                        f'sequences_per_batch={batch}', *OPTIONS, *more)


@pytest.mark.parametrize('case', [
    dict(lengths=[24]), dict(lengths=[8]), dict(lengths=[24] * 3, frames=2), dict(lengths=[24] * 3, dim=1),
    dict(lengths=[24] * 3, batch=1), dict(lengths=[8], batch=64), dict(lengths=[5, 24, 6]),
    dict(lengths=[5, 6], more=['train_dataloader.dataset.min_frames=4'])], ids=str)
def test_training_and_sampling(case, tmp_path):
    status, output = train(tmp_path, **case)
    assert status == 0, output
    model = leokit.load(tmp_path / 'run', expect=MotionDiffusion)
    dim, frames = case.get('dim', 4), case.get('frames', 8)
    motion = model.sample(torch.zeros(1, dim), generator=torch.Generator().manual_seed(0))
    assert motion.shape == (1, frames, dim) and torch.isfinite(motion).all()


@pytest.mark.parametrize('case,message', [
    (dict(lengths=[5, 6]), 'none of the 2 videos in .* has 8 codes in use; lower num_frames, pad shorter videos by '
                           'min_frames'),
    (dict(lengths=[24], frames=1), 'num_frames=1 leaves nothing to generate; set it to 2 or more'),
    (dict(lengths=[24], more=['motion_dim=5']), r'has shape \(4,\), but the model has motion_dim=5')], ids=str)
def test_reasons(case, message, tmp_path):
    status, output = train(tmp_path, **case)
    lines = [line for line in output.splitlines() if line.startswith('error: ')]
    assert status == 2 and len(lines) == 1
    assert re.search(message, lines[0])
