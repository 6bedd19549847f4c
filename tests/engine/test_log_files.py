import json
import logging
import logging.config
import os
import resource
import shutil
from pathlib import Path

from engine.toys import toy_config, train
from mmengine.config import Config
from mmengine.visualization import Visualizer
from mmengine.logging import print_log
from mmengine.visualization.vis_backend import LocalVisBackend
from support.processes import call_in_process

from leokit.engine.log_files import append_json_line, tolerate_logger_errors, tolerate_visualizer_errors


def test_a_log_that_cannot_be_written_does_not_end_the_training(tmp_path, monkeypatch):
    calls = []

    def refuse(self, *args, **kwargs):
        calls.append(args)
        raise OSError(28, os.strerror(28))
    monkeypatch.setattr(LocalVisBackend, 'add_scalars', refuse)
    runner = train(toy_config(tmp_path, default_hooks=dict(logger=dict(type='LoggerHook', interval=1))))
    assert runner.iter == 12 and len(calls) == 12
    said = next(tmp_path.glob('*/*.log')).read_text()
    assert said.count('cannot be written') == 1  # not for every line


def test_the_config_of_the_log_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def half(path, content):
        with open(path, 'wb') as stream:
            stream.write(content[:5])
        raise OSError(28, os.strerror(28))
    monkeypatch.setattr(Path, 'write_bytes', half)
    visualizer = Visualizer(vis_backends=[dict(type='LocalVisBackend')], save_dir=str(tmp_path))
    tolerate_visualizer_errors(visualizer, logging.Logger('test'))
    visualizer.add_config(Config(dict(width=3)))
    assert not any(path.is_file() for path in tmp_path.rglob('*'))
    monkeypatch.undo()
    visualizer.add_config(Config(dict(width=3)))
    assert (tmp_path / 'vis_data' / 'config.py').read_text() == 'width = 3\n'


def test_the_next_training_removes_a_half_written_config(tmp_path):
    """A kill while the config of the log is written leaves it in the folder of that run, which no run writes again."""
    half = tmp_path / '20200101_000000' / 'vis_data' / 'config.part.py'
    half.parent.mkdir(parents=True)
    half.write_text('model = dict(')
    other = half.with_name('20200101_000000.json')
    other.write_text('{}\n')
    train(toy_config(tmp_path))
    assert not half.exists() and other.exists()


def append_limited(file):
    """Process target: how many of ten lines are refused if the file is limited to 100 bytes until the last two."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    refused = 0
    for step in range(10):
        if step == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        try:
            append_json_line(dict(loss=0.5, step=step), file)
        except OSError:
            refused += 1
    return refused


def test_a_line_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / 'scalars.json'
    assert call_in_process(append_limited, str(file)) == 4
    steps = [json.loads(line)['step'] for line in file.read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 8, 9]  # 25 bytes a line


def test_lines_are_those_of_mmengine(tmp_path):
    values = dict(loss=0.25, lr=1e-4, step=3)
    LocalVisBackend(str(tmp_path)).add_scalars(values, step=3)
    append_json_line(values, tmp_path / 'own.json')
    assert (tmp_path / 'own.json').read_text() == (tmp_path / 'scalars.json').read_text()


def test_a_full_log_file_prints_no_tracebacks(tmp_path, capfd):
    runner = train(toy_config(tmp_path))
    handler = next(item for item in runner.logger.handlers if isinstance(item, logging.FileHandler))

    class FullDisk:
        def write(self, text):
            raise OSError(28, os.strerror(28))

        def flush(self):
            raise OSError(28, os.strerror(28))
    stream, handler.stream = handler.stream, FullDisk()
    capfd.readouterr()
    runner.logger.warning('a line')
    handler.stream = stream
    assert 'Traceback' not in capfd.readouterr().err


def test_a_console_that_has_been_closed_is_ignored(capfd):
    reading, writing = os.pipe()
    os.close(reading)
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler(open(writing, 'w', closefd=False)))
    tolerate_logger_errors(logger)
    logger.info('nobody reads this')
    assert 'Traceback' not in capfd.readouterr().err
    logger.handlers.clear()
    os.close(writing)


def test_messages_after_a_training_whose_folder_is_gone(tmp_path, capsys):
    """A web server in the same process closes all log files; the next message opens them again."""
    runner = train(toy_config(tmp_path / 'run'))
    log = next((tmp_path / 'run').glob('*/*.log'))

    for handler in runner.logger.handlers:
        handler.close()
    print_log('the folder is there', logger='current', level=logging.WARNING)
    assert 'the folder is there' in log.read_text()
    logging.config.dictConfig(dict(version=1, disable_existing_loggers=False))  # as uvicorn does at its start
    shutil.rmtree(tmp_path / 'run')
    print_log('the folder is gone', logger='current', level=logging.WARNING)
    assert 'the folder is gone' in capsys.readouterr().out and not (tmp_path / 'run').exists()
