"""Runs of a study in several processes, and as jobs of a Slurm whose sbatch is a stand-in."""

import json
import shlex

import pytest
from studies.stand_ins import STUDY, write_study
from support.calling import call_command

from leokit.studies import StudyRunner, load_study, plan_runs, select_runs
from leokit.utils import UserError
from leokit.utils.locks import FileLock


@pytest.fixture
def study(tmp_path):
    path, program = write_study(tmp_path, STUDY)
    return path, program, plan_runs(load_study(path), tmp_path / 'work')


def run_part(study, selection, folder):
    _, program, runs = study
    runner = StudyRunner(select_runs(runs, selection), folder / 'work', program=program, exclusive=False,
                         log=lambda line: None)
    runner.run()


def test_processes_share_a_study_run_by_run(study, tmp_path):
    _, _, runs = study
    whole = FileLock(tmp_path / 'work' / 'study.lock')
    (tmp_path / 'work').mkdir()
    assert whole.acquire()  # the process of a whole study does not keep others from a run
    run_part(study, 'bad one:2', tmp_path)
    assert [run.state for run in runs] == ['new'] * 5 + ['done']
    # the stand-in's test: 2 * (quality + seed)
    assert json.loads(runs[5].metrics_file.read_text())['error'] == 2 * (3 + 2)


def test_a_run_that_another_process_executes_is_named(study, tmp_path):
    _, _, runs = study
    runs[0].folder.mkdir(parents=True)
    lock = FileLock(runs[0].folder / 'run.lock')
    assert lock.acquire()
    with pytest.raises(UserError, match='good, seed 0: another process executes this run'):
        run_part(study, 'good:0', tmp_path)
    lock.release()
    run_part(study, 'good:0', tmp_path)
    assert runs[0].state == 'done' and not (runs[0].folder / 'run.lock').exists()


def test_an_unknown_run_is_named(study):
    with pytest.raises(UserError, match='--only good:7 is no run of the study; its runs are .* good:0'):
        select_runs(study[2], 'good:7')


def test_every_unfinished_run_becomes_a_job(study, tmp_path, monkeypatch):
    path, _, runs = study
    runs[1].folder.mkdir(parents=True)
    runs[1].metrics_file.write_text('{}')
    (tmp_path / 'bin').mkdir()
    sbatch = tmp_path / 'bin' / 'sbatch'
    sbatch.write_text(f'#!/bin/bash\nprintf "%q " "$@" >> {tmp_path}/jobs\necho >> {tmp_path}/jobs\n'
                      'echo "17;cluster"\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path / "bin"}:/usr/bin:/bin')
    monkeypatch.setenv('SBATCH_ARGS', '--partition=gpu --gres=gpu:1')
    monkeypatch.setenv('PYTHON', 'apptainer exec IMG python')
    status, said = call_command('ablate', path, '--work-dir', tmp_path / 'work', '--submit', 'slurm', '--cfg-options',
                                'title=a b')
    assert status == 0 and 'good, seed 0: job 17' in said
    jobs = [shlex.split(line) for line in (tmp_path / 'jobs').read_text().splitlines()]
    assert len(jobs) == 5
    assert {'--partition=gpu', '--gres=gpu:1', '--requeue', '--signal=TERM@60'} <= set(jobs[0])
    step = shlex.split(jobs[0][-1].removeprefix('--wrap='))
    assert step[-10:] == ['-m', 'leokit', 'ablate', str(path), '--cfg-options', 'title=a b', '--work-dir',
                          str(tmp_path / 'work'), '--only', 'good:0']
    assert step[step.index('apptainer'):][:5] == ['apptainer', 'exec', 'IMG', 'python', '-u']
    assert step[2] == str(runs[0].folder / 'train')  # where the job script looks for a new checkpoint


def test_a_refused_job_and_a_missing_slurm_are_one_sentence(study, tmp_path, monkeypatch):
    path = study[0]
    (tmp_path / 'bin').mkdir()
    monkeypatch.setenv('PATH', str(tmp_path / 'bin'))
    command = ('ablate', path, '--work-dir', tmp_path / 'work', '--submit', 'slurm')
    assert 'error: sbatch is not on the PATH' in call_command(*command)[1]
    (tmp_path / 'bin' / 'sbatch').write_text('#!/bin/sh\necho "invalid partition" >&2\nexit 1\n')
    (tmp_path / 'bin' / 'sbatch').chmod(0o755)
    status, said = call_command(*command)
    assert status == 2 and 'error: sbatch refused the job (invalid partition); mend' in said
