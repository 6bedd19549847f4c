"""The shell scripts, run with stand-ins for torchrun and Slurm that print how they were called."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
JOB_SCRIPT = TOOLS.parent / 'leokit' / 'engine' / 'slurm_job.sh'
PRINT_ARGUMENTS = '#!/bin/bash\necho "$(basename "$0")" "$(printf "%q " "$@")"\n'
# srun runs its command once, as the second of two tasks
SRUN = PRINT_ARGUMENTS + '''while [[ $1 == --* ]]; do shift; done
env | grep -E '^SLURM_(CPUS_PER_TASK|GPUS_PER_TASK|EXPORT_ENV)='
export SLURM_STEP_NUM_NODES=${NODES:-2} SLURM_STEP_NUM_TASKS=${TASKS:-${NODES:-2}} SLURM_NODEID=1
export SLURM_STEP_NODELIST="gpu[3-4]" SLURM_STEP_ID=${STEP:-0} SLURMD_NODENAME=gpu4
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
                       if not key.startswith('SLURM')
                       and key not in ('NNODES', 'NODE_RANK', 'MASTER_ADDR', 'PORT', 'PYTHON')}
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
    assert said[0].startswith('srun --nodes=2 --ntasks=2 --ntasks-per-node=1 --cpu-bind=none --kill-on-bad-exit=1 ')
    assert said[1].strip() == (  # port: 20000 + 20007 % 12000
        f'torchrun --nnodes=2 --node-rank=1 --master-addr=gpu3 --master-port=28007 --nproc-per-node=8 '
        f'{TOOLS}/train.py a.py --resume --launcher pytorch')


def test_steps_of_a_job_have_ports_of_their_own(run):
    said = run('dist_train.sh', 'a.py', '8', SLURM_JOB_NUM_NODES='2', SLURM_JOB_ID='20007', STEP='3')
    assert f'--master-port={28007 + 3 * 101} ' in said


def test_an_allocation_of_one_node_gets_a_step_as_signals_reach_steps_only(run):
    said = run('dist_train.sh', 'a.py', '8', SLURM_JOB_NUM_NODES='1', SLURM_JOB_ID='7', NODES='1').splitlines()
    assert said[0].startswith('srun --nodes=1 --ntasks=1 ') and said[1].startswith('torchrun --standalone')


def test_the_step_gets_what_the_job_has_not_the_share_of_a_task(run):
    said = run('dist_train.sh', 'a.py', '8', SLURM_JOB_NUM_NODES='1', SLURM_JOB_ID='7', NODES='1',
               SLURM_CPUS_PER_TASK='1', SLURM_GPUS_PER_TASK='1', SLURM_GPUS_ON_NODE='8', SLURM_EXPORT_ENV='NONE')
    assert ' --cpu-bind=none --gres=gpu:8 ' in said
    assert not [line for line in said.splitlines() if line.startswith('SLURM_')]


@pytest.mark.parametrize('variables, sentence', [
    (dict(NNODES='2'), 'NNODES=2 needs MASTER_ADDR, the address of the first node, and NODE_RANK, 0 to 1'),
    (dict(NNODES='2', MASTER_ADDR='a'), 'NNODES=2 needs MASTER_ADDR'),
    (dict(NNODES='1', SLURM_JOB_ID='7'), 'this host is no node of job 7'),
    (dict(SLURM_JOB_ID='7', SLURM_JOB_NUM_NODES='3', SLURM_STEP_ID='0', SLURM_STEP_NUM_NODES='1',
          SLURM_STEP_NUM_TASKS='1'), "a step of srun on 1 of the job's 3 nodes"),
    (dict(SLURM_JOB_ID='7', SLURM_JOB_NUM_NODES='1', SLURM_STEP_ID='0', SLURM_STEP_NUM_NODES='1',
          SLURM_STEP_NUM_TASKS='4'), 'srun started 4 tasks on 1 nodes; use srun --ntasks-per-node=1')])
def test_wrong_starts_are_one_sentence(run, variables, sentence):
    said = run('dist_train.sh', 'a.py', '8', status=2, **variables)
    assert said.startswith('error: ') and sentence in said and len(said.splitlines()) == 1


@pytest.mark.parametrize('name, arguments', [
    ('dist_train.sh', ['a.py', '2']), ('dist_test.sh', ['a.py', 'b.pth', '2']),
    ('slurm_train.sh', ['gpu', 'job', 'a.py', 'out']), ('slurm_test.sh', ['gpu', 'job', 'a.py', 'b.pth'])])
def test_a_copy_that_sbatch_made_is_noticed(tmp_path, name, arguments):
    shutil.copy(TOOLS / name, tmp_path / 'slurm_script')
    done = subprocess.run(['bash', tmp_path / 'slurm_script', *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith('error: ') and 'sbatch' in done.stderr


def test_a_container_runs_torchrun_too(run, tmp_path):
    (tmp_path / 'apptainer').write_text(PRINT_ARGUMENTS)
    (tmp_path / 'apptainer').chmod(0o755)
    assert run('dist_train.sh', 'a.py', '2', PYTHON='apptainer exec IMG python').startswith(
        'apptainer exec IMG python -m torch.distributed.run --standalone ')


@pytest.mark.parametrize('stops, expected', [(True, 143), (False, 1)])
def test_the_status_tells_a_stop_from_a_crash(run, tmp_path, stops, expected):
    """torchrun ends with 1 in both cases; only a training that has stopped creates the file."""
    (tmp_path / 'torchrun').write_text('#!/bin/bash\n' + 'touch "$LEOKIT_STOP_FILE"\n' * stops + 'exit 1\n')
    run('dist_train.sh', 'a.py', '2', status=expected, TMPDIR=str(tmp_path))
    assert not list(tmp_path.glob('leokit-stopped*'))


def test_signals_reach_torchrun(run, tmp_path):
    (tmp_path / 'torchrun').write_text('#!/bin/bash\ntrap "echo ended; exit 5" TERM\nkill -TERM $PPID\n'
                                       'for i in {1..100}; do sleep 0.1; done\n')
    run('dist_train.sh', 'a.py', '2', status=5)


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


def submitted_words(said):
    """The command of the job, as words."""
    script = shlex.split(said.split('--wrap ', 1)[1])[0]
    return shlex.split(script)


def test_slurm_submits_a_job_that_requeues_itself(run, tmp_path):
    said = run('slurm_train.sh', 'gpu', 'my job', 'a.py', 'out dir', '--cfg-options', 'data_root=/a b', GPUS='16',
               SBATCH_ARGS='--time=1:00:00 --account=x', PYTHON='python3')
    assert said.startswith(
        'sbatch --partition=gpu --job-name=my\\ job --ntasks=16 --cpus-per-task=8 --ntasks-per-node=8 --gres=gpu:8 '
        '--requeue --signal=TERM@60 --open-mode=append --output=out\\ dir/slurm_%j.log --time=1:00:00 --account=x '
        '--wrap ')
    assert (tmp_path / 'out dir').is_dir()
    words = submitted_words(said)
    assert words[0] == 'bash' and Path(words[1]).resolve() == JOB_SCRIPT
    assert words[2:] == ['out dir', 'srun', '--kill-on-bad-exit=1', 'python3', '-u', f'{TOOLS}/train.py', 'a.py',
                         '--work-dir', 'out dir', '--launcher', 'slurm', '--resume', 'auto', '--cfg-options',
                         'data_root=/a b']


def test_srun_args_are_those_of_the_job_as_with_openmmlab(run):
    said = run('slurm_train.sh', 'gpu', 'job', 'a.py', 'out', GPUS='2', PYTHON='apptainer exec IMG python',
               SRUN_ARGS='--time 1:00:00 --cpu-bind=none --exclude=n3 --mpi=none')
    assert '--time 1:00:00 --exclude=n3 --wrap ' in said
    words = submitted_words(said)
    assert words[3:11] == ['srun', '--kill-on-bad-exit=1', '--cpu-bind=none', '--mpi=none', 'apptainer', 'exec', 'IMG',
                           'python']


def test_the_gpus_of_the_user_are_not_asked_for_twice(run):
    assert '--gres' not in run('slurm_train.sh', 'gpu', 'job', 'a.py', 'out', SBATCH_ARGS='--gpus-per-task=1')


def test_slurm_without_gpus(run):
    said = run('slurm_train.sh', 'cpu', 'job', 'a.py', 'out', GPUS='2', GPUS_PER_NODE='0')
    assert '--ntasks=2 --cpus-per-task=8 --requeue' in said and 'gres' not in said


def test_slurm_tests_in_the_foreground(run):
    said = run('slurm_test.sh', 'gpu', 'job', 'a.py', 'c.pth', '--out', 'r.json', GPUS='2', PYTHON='echo',
               SRUN_ARGS='--time=10 --label').splitlines()
    assert said[0].strip() == (
        f'srun --partition=gpu --job-name=job --ntasks=2 --cpus-per-task=8 --ntasks-per-node=2 --gres=gpu:2 '
        f'--kill-on-bad-exit=1 --time=10 --label echo -u {TOOLS}/test.py a.py c.pth --launcher slurm --out r.json')


def run_job(folder, command, *, ends='2999-01-01T00:00:00', preempted='None', expected):
    """Run the job script with a stand-in for scontrol; returns what it said and whether the job was queued again."""
    (folder / 'scontrol').write_text(
        f'#!/bin/bash\nif [ "$1" = show ]; then echo "JobId=77 EndTime={ends} PreemptTime={preempted}";'
        f' else echo "$@" >> {folder}/requests; fi\n')
    (folder / 'scontrol').chmod(0o755)
    (folder / 'requests').unlink(missing_ok=True)
    done = subprocess.run(['bash', JOB_SCRIPT, folder / 'out', 'bash', '-c', command], text=True, capture_output=True,
                          env={**os.environ, 'PATH': f'{folder}:{os.environ["PATH"]}', 'SLURM_JOB_ID': '77'},
                          check=False)
    assert done.returncode == expected, done.stderr
    requests = folder / 'requests'
    assert not (folder / 'out' / '.slurm_stopped_77').exists()
    return done.stderr, requests.exists() and requests.read_text() == 'requeue 77\n'


STOP = 'touch "$LEOKIT_STOP_FILE"; exit 143'


def test_only_a_stop_is_queued_again(tmp_path):
    (tmp_path / 'out').mkdir()
    assert run_job(tmp_path, f'echo iter_5.pth > {tmp_path}/out/last_checkpoint; {STOP}', expected=143) == ('', True)
    assert not run_job(tmp_path, 'exit 0', expected=0)[1]
    assert not run_job(tmp_path, 'exit 2', expected=2)[1]
    # a crash of another rank: srun ends this one with SIGTERM
    said, queued = run_job(tmp_path, f'echo iter_6.pth > {tmp_path}/out/last_checkpoint; exit 143', expected=143)
    assert not queued and 'not queued again: the command failed with status 143' in said
    # a rank fails after the stop
    assert not run_job(tmp_path, 'touch "$LEOKIT_STOP_FILE"; exit 1', expected=1)[1]


@pytest.mark.parametrize('command, scheduler', [
    (STOP, {}), ('exit 143', dict(ends='2001-01-01T00:00:00')), ('exit 143', dict(preempted='2001-01-01T00:00:00'))])
def test_stops_without_progress_are_bounded(tmp_path, command, scheduler):
    (tmp_path / 'out').mkdir()
    queued = [run_job(tmp_path, command, expected=143, **scheduler) for _ in range(3)]
    assert [again for _, again in queued] == [True, True, False]
    assert 'stopped 3 times in a row without a new checkpoint; give the job more time' in queued[2][0]
    # progress in between starts the count again
    progress = f'date +%N > {tmp_path}/out/last_checkpoint; {STOP}'
    queued = [run_job(tmp_path, text, expected=143, **scheduler)[1] for text in (
        command, command, progress, command, command)]
    assert queued == [True] * 5


@pytest.mark.skipif(shutil.which('shellcheck') is None, reason='shellcheck is not installed')
def test_the_scripts_are_clean():
    scripts = sorted(map(str, (*TOOLS.glob('*_*.sh'), JOB_SCRIPT)))
    subprocess.run(['shellcheck', '-x', *scripts], check=True, cwd=TOOLS.parent)
