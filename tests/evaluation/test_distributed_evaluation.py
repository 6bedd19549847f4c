"""Two processes (gloo, CPU) give the values of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from leokit.evaluation import load_records
from leokit.registry import METRICS

ROOT = Path(__file__).resolve().parents[2]
SEED, SAMPLES = 5, 7
PROTOCOL = dict(name='tiny', clips=dict(length=6), frames=dict(resolution=16), sampling=dict(num_clips=8))
# What both processes run: an odd number of samples, so that one process has more than the other.
SCRIPT = f'''
import json, sys
import torch
import torch.distributed as dist
sys.path.insert(0, {str(ROOT)!r})
from leokit.registry import METRICS

dist.init_process_group('gloo')
rank = dist.get_rank()
motion = torch.randn({SAMPLES}, 2, 12, 4, generator=torch.Generator().manual_seed({SEED}))
padded = [i % {SAMPLES} for i in range({SAMPLES} + 1)]  # as a distributed sampler pads the last batch
metric = METRICS.build(dict(type='MotionStatistics'))
for i in padded[rank::2]:
    metric.process(None, [dict(generated=motion[i, 0], real=motion[i, 1])])
result = metric.evaluate({SAMPLES})
videos = torch.rand({SAMPLES}, 6, 3, 16, 16, generator=torch.Generator().manual_seed({SEED})) * 2 - 1
distances = METRICS.build(dict(
    type='VideoDistances', extractor=dict(type='ColorStatistics'), protocol={PROTOCOL!r}, real=sys.argv[2],
    cache_dir=sys.argv[3]))
for i in padded[rank::2]:
    distances.process(None, [dict(generated=videos[i])])
result.update(distances.evaluate({SAMPLES}))
if rank == 0:
    json.dump(result, open(sys.argv[1], 'w'))
dist.destroy_process_group()
'''


def run(script, *arguments, processes=2):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT), 'CUDA_VISIBLE_DEVICES': ''}
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', str(processes)] \
        if processes > 1 else [sys.executable]
    done = subprocess.run([*command, str(script), *map(str, arguments)], env=environment, capture_output=True,
                          text=True, timeout=240)
    return done


def test_folder_evaluation_on_two_processes_equals_one(tmp_path, video_sets):
    real, fake = video_sets
    (fake / 'broken.npy').write_bytes(b'damaged')
    common = ['--real', real, '--fake', fake, '--metrics', 'fvd', 'kvd', 'acd', 'fid', '--protocol', 'quick',
              '--protocol-options', 'clips.length=6', 'sampling.num_clips=9', 'sampling.trials=2',
              'frames.resolution=16', '--extractor', 'ColorStatistics', 'acd=ColorStatistics', 'fid=ColorStatistics',
              '--cache-dir', tmp_path / 'cache', '--workers', 1]
    outputs = []
    for processes in (1, 2):
        done = run(ROOT / 'tools' / 'evaluate.py', *common, '--out', tmp_path / f'{processes}.json',
                   '--no-cache' if processes == 2 else '--model=fake', processes=processes)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count('acd-color') == 1 and 'broken.npy' in done.stderr
        outputs.append(load_records(tmp_path / f'{processes}.json'))
    for one, two in zip(*outputs, strict=True):
        assert one.score == two.score and one.details == two.details
        assert (one.real, one.fake, one.warnings) == (two.real, two.fake, two.warnings)


@pytest.fixture(scope='module')
def real_folder(tmp_path_factory):
    """Nine real videos."""
    folder = tmp_path_factory.mktemp('real')
    for number in range(9):
        frames = np.random.RandomState(number).randint(0, 256, (8, 16, 16, 3))
        np.save(folder / f'{number}.npy', frames.astype(np.uint8))
    return folder


@pytest.fixture(scope='module')
def two_processes(tmp_path_factory, real_folder):
    """Results of the script above."""
    folder = tmp_path_factory.mktemp('distributed')
    (folder / 'script.py').write_text(SCRIPT)
    done = run(folder / 'script.py', folder / 'values.json', real_folder, folder / 'cache')
    assert done.returncode == 0, done.stderr
    return json.loads((folder / 'values.json').read_text())


def sequences():
    return torch.randn(SAMPLES, 2, 12, 4, generator=torch.Generator().manual_seed(SEED))


def test_video_distances_on_two_processes_equal_one(two_processes, real_folder, tmp_path):
    metric = METRICS.build(dict(type='VideoDistances', extractor=dict(type='ColorStatistics'), protocol=PROTOCOL,
                                real=str(real_folder), cache_dir=str(tmp_path)))
    videos = torch.rand(SAMPLES, 6, 3, 16, 16, generator=torch.Generator().manual_seed(SEED)) * 2 - 1
    for video in videos:
        metric.process(None, [dict(generated=video)])
    expected = metric.evaluate(SAMPLES)
    assert len(expected) == 5 and {key: two_processes[key] for key in expected} == expected


def test_metric_on_two_processes_equals_one(two_processes):
    metric = METRICS.build(dict(type='MotionStatistics'))
    for generated, real in sequences():
        metric.process(None, [dict(generated=generated, real=real)])
    expected = metric.evaluate(SAMPLES)
    assert {key: two_processes[key] for key in expected} == expected
