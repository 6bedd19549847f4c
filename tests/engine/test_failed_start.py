"""A start that fails leaves no folder and no long messages; a run that starts has both."""

import io
import logging

import pytest
from engine.toys import toy_config, train
from support.calling import call_command

from leokit.engine.failed_start import HeldMessages, first_missing, remove_failed_start


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'toy.py'
    path.write_text(toy_config(tmp_path / 'unused').pretty_text.replace('work_dir =', 'unused_dir ='))
    return path


@pytest.mark.parametrize('option', ['model.widht=3', 'train_dataloader.dataset.lenght=3', 'load_from=nowhere.pth',
                                    'default_hooks.checkpoint.interval=0', 'optim_wrapper.optimizer.lrr=1'])
def test_a_failed_start_leaves_nothing_and_says_one_sentence(config, tmp_path, capfd, option):
    work_dir = tmp_path / 'new' / 'runs' / 'a'
    status, text = call_command('train', config, '--work-dir', work_dir, '--cfg-options', option)
    said = capfd.readouterr()
    assert status == 2 and not (tmp_path / 'new').exists()
    assert len((said.out + said.err + text).strip().splitlines()) < 12, said.out


def test_a_work_dir_that_was_there_stays(config, tmp_path):
    work_dir = tmp_path / 'runs'
    work_dir.mkdir()
    assert call_command('train', config, '--work-dir', work_dir, '--cfg-options', 'model.widht=3')[0] == 2
    assert work_dir.is_dir()


def test_long_messages_wait_for_the_start():
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    held = HeldMessages(logger)
    stream = logger.handlers[0].stream
    for text in ('config\n' * 100, 'short'):
        logger.info(text)
    logger.warning('warning\n' * 20)
    assert stream.getvalue() == 'short\n' + 'warning\n' * 20 + '\n'
    held.release()
    logger.info('later\n' * 20)
    assert stream.getvalue().count('config') == 100 and stream.getvalue().count('later') == 20


def test_a_run_that_starts_releases_them(tmp_path):
    runner = train(toy_config(tmp_path / 'runs'))
    assert runner._held_messages is None and list((tmp_path / 'runs').glob('*/*.log'))
    runner.undo_failed_start()
    assert (tmp_path / 'runs').is_dir()


def test_only_logs_are_removed(tmp_path):
    work_dir = tmp_path / 'new' / 'runs'
    made = first_missing(work_dir)
    assert made == tmp_path / 'new' and first_missing(tmp_path) is None
    (work_dir / '20260101_000000').mkdir(parents=True)
    (work_dir / 'codes').mkdir()
    remove_failed_start(work_dir, made)
    assert (work_dir / 'codes').is_dir()
    (work_dir / 'codes').rmdir()
    remove_failed_start(work_dir, made)
    assert tmp_path.is_dir() and not made.exists()
