"""Two processes (gloo, CPU) give the values of one."""

import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from support.calling import call_command
from support.processes import start_process

from leokit.evaluation import load_records
from leokit.registry import METRICS

SEED, SAMPLES, WORLD = 5, 7, 2
PROTOCOL = dict(name='tiny', clips=dict(length=6), frames=dict(resolution=16), sampling=dict(num_clips=8))


def start(function, *arguments):
    """Run a function with rank and arguments in the processes of a group, with the environment that torchrun gives."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    processes = [start_process(join, rank, port, function, *arguments) for rank in range(WORLD)]
    for process in processes:
        process.join(240)
    assert [process.exitcode for process in processes] == [0] * WORLD


def join(rank, port, function, *arguments):
    """Process target."""
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(WORLD), MASTER_ADDR='127.0.0.1',
                      MASTER_PORT=str(port), CUDA_VISIBLE_DEVICES='')
    torch.set_num_threads(1)
    function(rank, *arguments)


def evaluate(rank, arguments, folder):
    """Run ``leokit evaluate`` and keep what it says."""
    status, said = call_command('evaluate', *arguments)
    (folder / f'said_{rank}.txt').write_text(said)
    assert status == 0, said


def test_folder_evaluation_on_two_processes_equals_one(tmp_path, video_sets):
    real, fake = video_sets
    (fake / 'broken.npy').write_bytes(b'damaged')
    common = ['--real', real, '--fake', fake, '--metrics', 'fvd', 'kvd', 'acd', 'fid', '--protocol', 'quick',
              '--protocol-options', 'clips.length=6', 'sampling.num_clips=9', 'sampling.trials=2',
              'frames.resolution=16', '--extractor', 'ColorStatistics', 'acd=ColorStatistics', 'fid=ColorStatistics',
              '--cache-dir', tmp_path / 'cache', '--workers', 1]
    status, said = call_command('evaluate', *common, '--out', tmp_path / '1.json', '--model', 'fake')
    assert status == 0, said
    start(evaluate, [*common, '--out', tmp_path / '2.json', '--no-cache'], tmp_path)
    for text in (said, ''.join((tmp_path / f'said_{rank}.txt').read_text() for rank in range(WORLD))):
        assert text.count('acd-color') == 1 and 'broken.npy' in text
    for one, two in zip(*(load_records(tmp_path / f'{count}.json') for count in (1, 2)), strict=True):
        assert one.score == two.score and one.details == two.details
        assert (one.real, one.fake, one.warnings) == (two.real, two.fake, two.warnings)


def measure(rank, file, real, cache):
    """Metrics of an odd number of samples, so that one process has more than the other."""
    dist.init_process_group('gloo')
    padded = [i % SAMPLES for i in range(SAMPLES + 1)]  # as a distributed sampler pads the last batch
    metric = METRICS.build(dict(type='MotionStatistics'))
    for i in padded[rank::WORLD]:
        metric.process(None, [dict(generated=sequences()[i, 0], real=sequences()[i, 1])])
    result = metric.evaluate(SAMPLES)
    distances = video_distances(real, cache)
    for i in padded[rank::WORLD]:
        distances.process(None, [dict(generated=videos()[i])])
    result.update(distances.evaluate(SAMPLES))
    if rank == 0:
        Path(file).write_text(json.dumps(result))
    dist.destroy_process_group()


def sequences():
    return torch.randn(SAMPLES, 2, 12, 4, generator=torch.Generator().manual_seed(SEED))


def videos():
    return torch.rand(SAMPLES, 6, 3, 16, 16, generator=torch.Generator().manual_seed(SEED)) * 2 - 1


def video_distances(real, cache):
    return METRICS.build(dict(type='VideoDistances', extractor=dict(type='ColorStatistics'), protocol=PROTOCOL,
                              real=str(real), cache_dir=str(cache)))


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
    """Results of two processes."""
    folder = tmp_path_factory.mktemp('distributed')
    start(measure, str(folder / 'values.json'), real_folder, folder / 'cache')
    return json.loads((folder / 'values.json').read_text())


def test_video_distances_on_two_processes_equal_one(two_processes, real_folder, tmp_path):
    metric = video_distances(real_folder, tmp_path)
    for video in videos():
        metric.process(None, [dict(generated=video)])
    expected = metric.evaluate(SAMPLES)
    assert len(expected) == 5 and {key: two_processes[key] for key in expected} == expected


def test_metric_on_two_processes_equals_one(two_processes):
    metric = METRICS.build(dict(type='MotionStatistics'))
    for generated, real in sequences():
        metric.process(None, [dict(generated=generated, real=real)])
    expected = metric.evaluate(SAMPLES)
    assert {key: two_processes[key] for key in expected} == expected
