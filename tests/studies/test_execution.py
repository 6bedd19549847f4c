import os
import signal
import threading
import time

import pytest
from studies.stand_ins import STUDY, write_study

from leokit.studies import StudyRunner, load_study, plan_runs
from leokit.utils import UserError

ONE_SEED = STUDY.replace('[0, 1, 2]', '[0]')


def runner_of(folder, study=ONE_SEED, **options):
    path, program = write_study(folder, study)
    runs = plan_runs(load_study(path), folder / 'work')
    return StudyRunner(runs, folder / 'work', program=program, log=lambda line: None, **options)


def calls(run):
    return (run.folder / 'train' / 'calls').read_text().split()


def test_finished_runs_are_skipped(tmp_path):
    runner = runner_of(tmp_path)
    runner.run()
    assert [run.state for run in runner.runs] == ['done', 'done']
    assert runner.runs[1].scores() == dict(error=6.0, ratio=0.7)
    runner.runs[0].metrics_file.unlink()  # tested again, not trained
    again = runner_of(tmp_path)
    again.run()
    assert again.runs[0].state == 'done' and [len(calls(run)) for run in again.runs] == [1, 1]


def test_jobs_share_the_devices(tmp_path):
    runner = runner_of(tmp_path, STUDY, jobs=2, devices=['4', '7'])
    runner.run()
    used = [calls(run)[0] for run in runner.runs]
    assert set(used) == {'4', '7'} and len(used) == 6


def test_one_failure_does_not_stop_the_others(tmp_path):
    runner = runner_of(tmp_path, ONE_SEED.replace("dict(name='good')", "dict(name='good', options={{'model.behavior': "
                                                  "'fails'}})"))
    with pytest.raises(UserError, match=r'1 of 2 runs failed; the first: good, seed 0: leokit train ended with '
                                        r'status 1 \(the model does not like this\); see .*train.log'):
        runner.run()
    assert [run.state for run in runner.runs] == ['new', 'done']


def test_a_stop_signal_reaches_the_trainings_and_the_study_resumes(tmp_path):
    waiting = ONE_SEED.replace("'test_cfg.scale': 2.0", "'test_cfg.scale': 2.0, 'model.behavior': 'waits'")
    runner = runner_of(tmp_path, waiting)

    def interrupt():
        while not (runner.runs[0].folder / 'train' / 'started').exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=interrupt).start()
    begun = time.monotonic()
    runner.run()
    assert runner.stopped_by == 'SIGTERM' and time.monotonic() - begun < 30
    assert [run.state for run in runner.runs] == ['at iteration 1', 'new']
    (runner.runs[1].folder / 'train').mkdir()
    (runner.runs[1].folder / 'train' / 'iter_1.pth').touch()
    again = runner_of(tmp_path, waiting)
    again.run()
    assert [run.state for run in again.runs] == ['done', 'done'] and len(calls(again.runs[0])) == 2


def test_two_studies_do_not_share_a_folder(tmp_path):
    from leokit.utils.locks import FileLock
    (tmp_path / 'work').mkdir()
    lock = FileLock(tmp_path / 'work' / 'study.lock')
    assert lock.acquire()
    with pytest.raises(UserError, match='another process runs a study'):
        runner_of(tmp_path).run()
    lock.release()


DEPENDENT = ONE_SEED.replace("dict(name='good'),", "dict(name='good'), dict(name='tested', after='good', train=False, "
                             "options={{'test_cfg.scale': 5.0}}), dict(name='student', after='good', options={{"
                             "'model.teacher': '{{checkpoint}} {{config}}'}}),")


def test_a_run_waits_for_the_training_that_it_depends_on(tmp_path):
    runner = runner_of(tmp_path, DEPENDENT, jobs=3)
    runner.run()
    good, tested, student, _ = runner.runs
    assert [run.state for run in runner.runs] == ['done'] * 4
    assert tested.scores()['error'] == 5.0 and not (tested.folder / 'train').exists()  # the weights of another run
    assert student.config.model.teacher == f'{good.checkpoint} {good.config_file}' and good.checkpoint.is_file()
    assert student.checkpoint != good.checkpoint
    assert student.checkpoint.stat().st_mtime >= good.checkpoint.stat().st_mtime


def test_a_seed_is_finished_before_the_next_one_with_the_runs_that_waited(tmp_path):
    runner, lines = runner_of(tmp_path, DEPENDENT.replace('[0]', '[1, 0]')), []
    runner.log = lines.append
    runner.run()
    order = [line.removesuffix(': done') for line in lines if line.endswith(': done')]
    assert order == [f'{name}, seed {seed}' for seed in (1, 0) for name in ('good', 'tested', 'student', 'bad one')]


def test_runs_that_depend_on_a_failed_training_fail(tmp_path):
    study = DEPENDENT.replace("dict(name='good')", "dict(name='good', options={{'model.behavior': 'fails'}})")
    runner = runner_of(tmp_path, study, jobs=2)
    with pytest.raises(UserError, match='3 of 4 runs failed; the first: good, seed 0'):
        runner.run()
    assert [run.state for run in runner.runs] == ['new', 'new', 'new', 'done']


def test_another_test_of_the_same_weights_is_repeated_if_its_options_change(tmp_path):
    runner_of(tmp_path, DEPENDENT).run()
    changed = runner_of(tmp_path, DEPENDENT.replace('5.0', '7.0'))
    changed.run()
    assert changed.runs[1].scores()['error'] == 7.0
    sampler = runner_of(tmp_path, DEPENDENT.replace("'test_cfg.scale': 5.0", "'test_cfg.scale': 7.0, 'model.steps': 3"))
    sampler.runs[1].prepare()
    assert sampler.runs[1].state == 'trained'  # a part of the model that is not in the weights
