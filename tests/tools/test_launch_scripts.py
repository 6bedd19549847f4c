"""The shell scripts, run with stand-ins for torchrun and Slurm that print how they were called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
PRINT_ARGUMENTS = '#!/bin/bash\necho "$(basename "$0")" "$(printf "%q " "$@")"\n'
# srun runs its command once, as the second of two tasks
SRUN = PRINT_ARGUMENTS + '''while [[ $1 == --* ]]; do shift; done
export SLURM_STEP_NUM_NODES=2 SLURM_STEP_NUM_TASKS=${TASKS:-2} SLURM_NODEID=1 SLURM_STEP_NODELIST="gpu[3-4]"
exec "$@"
'''


@pytest.fixture
def run(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for name in ('torchrun', 'sbatch'):
        write(name, PRINT_ARGUMENTS)
    write('srun', SRUN)
    write('scontrol', '#!/bin/bash\nprintf "gpu3\\ngpu4\\n"\n')

    def run_script(name, *arguments, status=0, **variables):
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith('SLURM') and key not in ('NNODES', 'NODE_RANK', 'MASTER_ADDR', 'PORT')}
        environment.update({'PATH': f'{tmp_path}:{os.environ["PATH"]}', **variables})
        done = subprocess.run([str(TOOLS / name), *arguments], env=environment, capture_output=True, text=True,
                              cwd=tmp_path, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr
    return run_script


def test_one_node_finds_a_free_port(run):
    assert run('dist_train.sh', 'a b.py', '4', '--amp', '--cfg-options', 'x=1').strip() == (
        f'torchrun --standalone --nproc-per-node=4 {TOOLS}/train.py a\\ b.py --amp --cfg-options x=1 '
        f'--launcher pytorch')


def test_a_given_port_is_used(run):
    assert '--master-addr=127.0.0.1 --master-port=29701 ' in run('dist_train.sh', 'a.py', '2', PORT='29701')


def test_several_nodes_by_environment(run):
    said = run('dist_test.sh', 'a.py', 'c.pth', '8', '--out', 'r.json', NNODES='3', NODE_RANK='2',
               MASTER_ADDR='10.0.0.1')
    assert said.strip() == (
        f'torchrun --nnodes=3 --node-rank=2 --master-addr=10.0.0.1 --master-port=29500 --nproc-per-node=8 '
        f'{TOOLS}/test.py a.py c.pth --out r.json --launcher pytorch')


def test_an_allocation_of_several_nodes_starts_one_launcher_per_node(run):
    said = run('dist_train.sh', 'a.py', '8', '--resume', SLURM_JOB_NUM_NODES='2', SLURM_JOB_ID='20007').splitlines()
    assert said[0].startswith('srun --ntasks=2 --ntasks-per-node=1 --kill-on-bad-exit=1 ')
    assert said[1].strip() == (
        f'torchrun --nnodes=2 --node-rank=1 --master-addr=gpu3 --master-port=20007 --nproc-per-node=8 '
        f'{TOOLS}/train.py a.py --resume --launcher pytorch')


def test_an_allocation_of_one_node_needs_no_srun(run):
    assert run('dist_train.sh', 'a.py', '8', SLURM_JOB_NUM_NODES='1', SLURM_JOB_ID='7').startswith(
        'torchrun --standalone')


def test_one_task_per_gpu_is_refused(run):
    said = run('dist_train.sh', 'a.py', '8', status=2, SLURM_JOB_NUM_NODES='2', SLURM_JOB_ID='7', TASKS='16')
    assert 'error: srun started 16 tasks on 2 nodes; use srun --ntasks-per-node=1' in said


def test_a_missing_torchrun_is_named(run, tmp_path):
    (tmp_path / 'torchrun').unlink()
    for name in ('bash', 'dirname'):
        (tmp_path / name).symlink_to(shutil.which(name))
    assert 'torchrun is not on the PATH' in run('dist_train.sh', 'a.py', '2', status=2, PATH=str(tmp_path))


@pytest.mark.parametrize('name, arguments', [
    ('dist_train.sh', ['a.py']), ('dist_train.sh', ['a.py', '0']), ('dist_train.sh', ['a.py', 'x']),
    ('dist_test.sh', ['a.py', '3']), ('slurm_train.sh', ['gpu', 'job', 'a.py'])])
def test_wrong_calls_show_the_usage(run, name, arguments):
    assert 'usage:' in run(name, *arguments, status=2)


def test_slurm_submits_a_job_that_requeues_itself(run, tmp_path):
    said = run('slurm_train.sh', 'gpu', 'my job', 'a.py', 'out dir', '--cfg-options', 'data_root=/a b', GPUS='16',
               SBATCH_ARGS='--time=1:00:00 --account=x', PYTHON='python3')
    assert said.startswith(
        'sbatch --partition=gpu --job-name=my\\ job --ntasks=16 --cpus-per-task=8 --ntasks-per-node=8 --gres=gpu:8 '
        '--requeue --signal=TERM@60 --open-mode=append --output=out\\ dir/slurm_%j.log --time=1:00:00 --account=x '
        '--wrap ')
    assert (tmp_path / 'out dir').is_dir()
    # what Slurm would run, with srun printing and python leaving as a stopped training does
    script = subprocess.run(['bash', '-c', f'set -- {said.split("--wrap ", 1)[1]}\nprintf %s "$1"'], text=True,
                            capture_output=True, check=True).stdout
    (tmp_path / 'srun').write_text(PRINT_ARGUMENTS + 'exit 143\n')
    (tmp_path / 'scontrol').write_text(PRINT_ARGUMENTS)
    done = subprocess.run(['bash', '-c', script], text=True, capture_output=True, check=False,
                          env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'SLURM_JOB_ID': '77'})
    assert done.returncode == 143
    assert done.stdout.splitlines()[0].strip() == (
        f'srun --kill-on-bad-exit=1 --cpus-per-task=8 python3 -u {TOOLS}/train.py a.py --work-dir out\\ dir '
        f'--launcher slurm --resume auto --cfg-options data_root=/a\\ b')
    assert done.stdout.splitlines()[1].strip() == 'scontrol requeue 77'


def test_slurm_without_gpus(run):
    said = run('slurm_train.sh', 'cpu', 'job', 'a.py', 'out', GPUS='2', GPUS_PER_NODE='0')
    assert '--ntasks=2 --cpus-per-task=8 --requeue' in said and 'gres' not in said


@pytest.mark.skipif(shutil.which('shellcheck') is None, reason='shellcheck is not installed')
def test_the_scripts_are_clean():
    scripts = sorted(map(str, TOOLS.glob('*_*.sh')))
    subprocess.run(['shellcheck', '-x', *scripts], check=True, cwd=TOOLS.parent)
