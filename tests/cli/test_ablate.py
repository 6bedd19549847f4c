"""The ablation of the Linear Motion Condition as one command, on tiny models and a tiny cache."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.calling import call_command
from support.code_caches import MOTION_DIM, write_code_cache

from leokit.registry import MODELS
from leokit.studies import load_study, plan_runs
from leokit.utils.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / 'configs' / 'ablations' / 'lmc.py'
ITERATIONS = 600


def arguments(folder, iterations, **options):
    """Two variants, one seed, a model of nothing."""
    return [STUDY, '--work-dir', folder / 'work', '--cfg-options', f'base={ROOT}/configs/leo/lmdm_synthetic.py',
            'seeds=[3]', f'options.codes_dir={folder / "codes"}', f'options.motion_dim={MOTION_DIM}',
            f'options.max_iters={iterations}', 'options.num_frames=8', 'options.sequences_per_batch=4',
            'options.model.backbone.channels=(8,)', 'options.model.backbone.attention_levels=()',
            'options.model.backbone.num_blocks=1', 'options.model.backbone.embedding_dim=8',
            'options.model.backbone.head_dim=8', 'options.model.sampler.num_inference_steps=2',
            'options.test_filters.split=test',
            *(f'{key}={value}' for key, value in options.items())]


@pytest.mark.parametrize('name', ['lmc', 'lmc_few_faces', 'lmc_video'])
def test_the_studies_vary_the_condition_only(name, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    study = load_study(STUDY.parent / f'{name}.py')
    runs = plan_runs(study, tmp_path)
    assert len(study.seeds) >= 3 and len(runs) == len(study.variants) * len(study.seeds)
    conditions = [MODELS.build(run.config.model).motion_condition for run in runs[:3]]
    assert [type(condition).__name__ for condition in conditions] == [
        'LinearMotionCondition', 'ConcatMotionCondition', 'NoMotionCondition']
    configs = [run.config.to_dict() for run in runs[:3]]
    for config in configs:
        config['model'].pop('motion_condition')
    assert configs[0] == configs[1] == configs[2]


@pytest.mark.slow
def test_a_killed_ablation_resumes_and_ends_in_a_table(tmp_path):
    write_code_cache(tmp_path / 'codes')
    command = [sys.executable, '-m', 'leokit', 'ablate', *arguments(tmp_path, ITERATIONS)]
    command = [str(part) for part in command]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    run = tmp_path / 'work' / 'lmc' / 'seed_3'
    deadline = time.monotonic() + 120
    while not ((run / 'train.log').exists() and 'Iter(train)' in (run / 'train.log').read_text()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 143 and '0 of 3 runs' in said
    stopped, = (run / 'train').glob('iter_*.pth')
    assert 0 < load_checkpoint(stopped)['meta']['iter'] < ITERATIONS

    again = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f'LMC, seed 3: train (at {stopped.stem.replace("iter_", "iteration ")})' in again.stdout
    scores = json.loads((tmp_path / 'work' / 'results.json').read_text())
    assert scores['done'] == 3 and len(scores['differences']) == 2 * 5
    assert (tmp_path / 'work' / 'curves.png').is_file()
    assert '| none | 1 |' in (tmp_path / 'work' / 'table.md').read_text()
    third = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert third.returncode == 0 and 'train (' not in third.stdout


def test_dry_run_prints_the_state_of_every_run(tmp_path):
    write_code_cache(tmp_path / 'codes')
    command = arguments(tmp_path, 5)
    status, said = call_command('ablate', *command[:3], '--dry-run', *command[3:])
    assert status == 0
    assert said.split('\n')[:3] == ['LMC, seed 3: new', 'concatenated, seed 3: new', 'none, seed 3: new']
    assert not (tmp_path / 'work').exists()
