"""Test of a motion diffusion in code space."""

import json
from pathlib import Path

import pytest
import torch
from support.calling import call_command
from support.code_caches import MOTION_DIM, write_code_cache

import leokit
from leokit.datasets import MotionCodeDataset
from leokit.metrics import jitter
from leokit.registry import MODELS
from leokit.samplers import generators_from_seeds
from leokit.utils import load_config
from leokit.utils.checkpoints import save_checkpoint
from leokit.utils.seeds import sample_seeds

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'leo' / 'lmdm_synthetic.py'


def test_windows_and_long_sequences(tmp_path):
    codes = write_code_cache(tmp_path / 'codes')
    dataset = dict(type='MotionCodeDataset', codes_dir=str(codes), num_frames=10, stride=10,
                   filters=dict(split='test'))
    options = {'codes_dir': str(codes), 'motion_dim': MOTION_DIM, 'num_frames': 10, 'animator': None,
               'model.backbone.channels': (8,), 'model.backbone.attention_levels': (), 'model.backbone.num_blocks': 1,
               'model.backbone.embedding_dim': 8, 'model.backbone.head_dim': 8, 'model.sampler.num_inference_steps': 2,
               'long_video': dict(_delete_=True, type='LastCode'),
               'test_dataloader': dict(_delete_=True, batch_size=4, num_workers=0, dataset=dataset,
                                       sampler=dict(type='DefaultSampler', shuffle=False),
                                       collate_fn=dict(type='default_collate')),
               'test_evaluator': [dict(type='MotionStatistics')],
               'test_cfg': dict(_delete_=True, type='MotionTestLoop', long_frames=60, long_sequences=3)}
    config = load_config(CONFIG, options)
    config.dump(tmp_path / 'config.py')
    model = MODELS.build(config.model)
    model.normalizer.set_statistics([0.0] * MOTION_DIM, [1.0] * MOTION_DIM)
    torch.nn.init.normal_(model.backbone.out.weight, std=0.2)
    save_checkpoint(dict(meta={}, state_dict=model.state_dict()), tmp_path / 'model.pth')
    status, said = call_command('test', tmp_path / 'config.py', tmp_path / 'model.pth', '--work-dir', tmp_path / 'work',
                                '--out', tmp_path / 'scores.json')
    assert status == 0, said
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert scores['motion/sequences'] == 8  # 4 held-out videos of 24 frames

    # 60 frames in 8 segments of 7, from the first codes of three windows
    trained = leokit.load(tmp_path / 'config.py', tmp_path / 'model.pth')
    windows = MotionCodeDataset(codes, 7, filters=dict(split='test'))
    real = torch.stack([item['inputs']['motion'] for item in windows.__getitems__(range(len(windows)))])
    singles = MotionCodeDataset(codes, 1, filters=dict(split='test'))
    starts = torch.stack([singles[index]['inputs']['motion'][0] for index in (0, (len(singles) - 1) // 2,
                                                                             len(singles) - 1)])
    generators = generators_from_seeds(sample_seeds(0, range(3)))
    motion = torch.cat(list(trained.extend(starts, 60, generator=generators)), dim=1)
    parts = motion[:, :56].reshape(24, 7, MOTION_DIM)
    assert scores['long/jitter'] == pytest.approx(float(jitter(parts).mean() / jitter(real).mean()), rel=1e-4)
    assert scores['long/dispersion_min'] <= scores['long/dispersion'] and scores['long/frames_per_second'] > 0
    assert scores['long/boundary_jerk_ratio'] > 0 and scores['long/drift'] >= 0
