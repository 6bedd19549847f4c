"""The starting codes' configs, through the tools."""

import json
from pathlib import Path

import pytest
from support.calling import call_command
from support.code_caches import MOTION_DIM, write_code_cache

from leokit.models import StartCodeDiffusion
from leokit.registry import MODELS
from leokit.utils import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / 'leo'


@pytest.mark.parametrize('name', ['celebv', 'faceforensics', 'taichi', 'synthetic'])
def test_the_codes_are_those_of_the_motion_diffusion(name):
    config, motion = (load_config(CONFIGS / f'{kind}_{name}.py') for kind in ('start_code', 'lmdm'))
    assert isinstance(MODELS.build({**config.model, 'backbone': dict(type='MLPDenoiser', dim=8)}), StartCodeDiffusion)
    assert config.codes_dir == motion.codes_dir and config.model.motion_dim == motion.model.motion_dim
    assert config.val_dataloader.dataset.filters != config.train_dataloader.dataset.filters


def test_training_validates_and_testing_agrees(tmp_path):
    options = [f'codes_dir={write_code_cache(tmp_path / "codes")}', f'motion_dim={MOTION_DIM}', 'max_iters=40',
               'codes_per_batch=64', 'model.backbone.dim=32', 'model.sampler.num_inference_steps=5',
               'val_filters.split=test', 'log_level=WARNING']
    config = CONFIGS / 'start_code_synthetic.py'
    status, said = call_command('train', config, '--work-dir', tmp_path / 'run', '--cfg-options', *options)
    assert status == 0, said
    logged = [json.loads(line) for path in (tmp_path / 'run').glob('*/vis_data/scalars.json')
              for line in path.read_text().splitlines()]
    status, said = call_command('test', config, tmp_path / 'run' / 'iter_40.pth', '--work-dir', tmp_path / 'test',
                                '--out', tmp_path / 'metrics.json', '--cfg-options', *options)
    assert status == 0, said
    measured = json.loads((tmp_path / 'metrics.json').read_text())
    assert measured['codes/samples'] == 4 * 6  # every fourth frame of four held-out videos
    assert measured['codes/frechet'] == pytest.approx(logged[-1]['codes/frechet'], rel=1e-4)
