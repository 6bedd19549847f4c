"""Trainings on a real Slurm of three nodes, which is built on this machine: stops, crashes, and wrong starts."""

import sys
import time
from pathlib import Path

import pytest
from engine.toys import toy_config
from support.slurm_cluster import SlurmCluster, reason_to_skip

from leokit.utils.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / 'tools'
PYTHON = f'env PYTHONPATH={ROOT}:{ROOT}/tests OMP_NUM_THREADS=1 {sys.executable}'
STOP_IN_ITERATION = 5
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def cluster():
    if reason := reason_to_skip():
        pytest.skip(reason)
    with SlurmCluster() as made:
        yield made


def write_config(folder, **changes):
    text = toy_config(folder / 'unused', log_level='INFO', **changes).pretty_text
    path = folder / 'toy.py'
    path.write_text(text.replace('work_dir = ', 'unused_dir = ') + "custom_imports = dict(imports=['engine.toys'])\n")
    return path


def submit(cluster, config, work_dir, srun_args, *arguments):
    variables = dict(GPUS='2', GPUS_PER_NODE='0', CPUS_PER_TASK='1', SRUN_ARGS=srun_args, PYTHON=PYTHON)
    said = cluster.run('bash', TOOLS / 'slurm_train.sh', 'cpu', 'toy', config, work_dir, *arguments, env=variables)
    return said.split()[-1]


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_stop_resumes_a_crash_ends_the_job_and_a_step_is_stopped(cluster, tmp_path):
    """Three jobs at once. Nodes map their own names to 127.0.1.1, and the first job has no environment."""
    hook = dict(type='RecordHook', signal_after=STOP_IN_ITERATION, number=15, rank=1)
    (tmp_path / 'a').mkdir()
    stopped = write_config(tmp_path / 'a', custom_hooks=[hook])
    first = submit(cluster, stopped, tmp_path / 'stop', '--nodes=2 --ntasks-per-node=1 --export=NONE')
    (tmp_path / 'b' / 'empty').mkdir(parents=True)
    broken = write_config(tmp_path / 'b')
    second = submit(cluster, broken, tmp_path / 'crash', '--nodes=2 --ntasks-per-node=1', '--cfg-options',
                    f'train_dataloader.dataset.folder={tmp_path}/b/empty')
    # the usual batch script, in an allocation of one node
    (tmp_path / 'c').mkdir()
    long = write_config(tmp_path / 'c', train_cfg=dict(type='ResumableTrainLoop', max_iters=10 ** 6))
    script = tmp_path / 'job.sh'
    script.write_text(f'#!/bin/bash\nbash {TOOLS}/dist_train.sh {long} 2 --work-dir {tmp_path}/step '
                      '--cfg-options default_hooks.checkpoint.interval=1000000 default_hooks.logger.interval=50\n'
                      'echo "status $?"\n')
    third = cluster.run('sbatch', '--parsable', '--ntasks=2', '--cpus-per-task=1', f'--output={tmp_path}/step.log',
                        script, env=dict(PYTHON=PYTHON)).strip()
    log = tmp_path / 'step.log'
    wait_for(lambda: log.exists() and 'Iter(train)' in log.read_text())
    cluster.run('scancel', '--signal=TERM', third)  # reaches steps only, as the signal before the time limit does

    assert cluster.wait(third)['JobState'] == 'COMPLETED'
    assert 'status 143' in log.read_text()
    checkpoint, = (tmp_path / 'step').glob('iter_*.pth')
    iterations = load_checkpoint(checkpoint)['meta']['iter']
    assert f'stopped by SIGTERM after iteration {iterations} of 1000000' in log.read_text()

    crashed = cluster.wait(second)
    text = (tmp_path / 'crash' / f'slurm_{second}.log').read_text()
    assert (crashed['JobState'], crashed['Restarts']) == ('FAILED', '0'), text
    assert 'holds no videos; point data_root' in text and 'not queued again' in text

    done = cluster.wait(first)
    text = (tmp_path / 'stop' / f'slurm_{first}.log').read_text()
    assert (done['JobState'], done['Restarts']) == ('COMPLETED', '1'), text
    stop = int(text.split('stopped by ')[1].split('after iteration ')[1].split()[0])
    assert STOP_IN_ITERATION <= stop < 12 and f'iter_{stop}.pth' in text
    assert load_checkpoint(tmp_path / 'stop' / 'iter_12.pth')['meta']['iter'] == 12
    assert not list((tmp_path / 'stop').glob('.slurm_*'))


def test_wrong_starts_are_one_sentence(cluster, tmp_path):
    config = write_config(tmp_path)
    script = tmp_path / 'job.sh'
    train = f'{TOOLS}/train.py {config} --work-dir {tmp_path}/out'
    script.write_text(
        '#!/bin/bash\n'
        f'{PYTHON} {train} --launcher slurm 2>&1 | grep error\n'
        f'srun --nodes=1 --ntasks=1 bash {TOOLS}/dist_train.sh {config} 2\n'
        f'srun --nodes=1 --ntasks=2 bash {TOOLS}/dist_train.sh {config} 2\n')
    wrong = cluster.run('sbatch', '--parsable', '--nodes=2', '--ntasks-per-node=2', f'--output={tmp_path}/wrong.log',
                        script).strip()
    copy = cluster.run('sbatch', '--parsable', f'--output={tmp_path}/copy.log', TOOLS / 'dist_train.sh', config,
                       '2').strip()
    cluster.wait(wrong)
    errors = [line for line in (tmp_path / 'wrong.log').read_text().splitlines() if line.startswith('error: ')]
    assert '--launcher slurm needs srun, which starts all 4 tasks' in errors[0]
    assert "a step of srun on 1 of the job's 2 nodes" in errors[1]
    assert 'srun started 2 tasks on 1 nodes' in errors[2] and len(errors) == 4
    assert cluster.wait(copy)['JobState'] == 'FAILED'
    assert "put 'bash tools/dist_train.sh ...' into a batch script" in (tmp_path / 'copy.log').read_text()
    assert not (tmp_path / 'out').exists()
