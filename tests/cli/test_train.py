import json
import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from engine.toys import toy_config, with_validation
from mmengine.config import Config
from support.calling import call_command, call_tool

from leokit.utils import load_config
from leokit.utils.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path):
    """A config file with references, and the folder for its runs."""
    text = toy_config(tmp_path / 'run', **with_validation()).pretty_text
    text = text.replace('max_iters=12', "max_iters='$max_iters'").replace("work_dir = ", 'unused_dir = ')
    path = tmp_path / 'toy.py'
    path.write_text(f'data_root = None\nmax_iters = 12\n{text}')
    return path


def test_the_config_that_runs_is_saved_and_can_be_overridden_as_before(config, tmp_path):
    assert call_command('train', config, '--work-dir', tmp_path / 'out', '--cfg-options', 'max_iters=5',
                     'model.dropout=0.0')[0] == 0
    saved = load_config(tmp_path / 'out' / 'toy.py')
    assert saved.train_cfg.max_iters == 5 and saved.model.dropout == 0
    assert load_config(tmp_path / 'out' / 'toy.py', dict(max_iters=7)).train_cfg.max_iters == 7
    assert load_checkpoint(tmp_path / 'out' / 'iter_5.pth')['meta']['iter'] == 5


def test_flags_reach_the_config(config, tmp_path):
    out = tmp_path / 'out'
    command = ('train', config, '--work-dir', out, '--amp')
    assert call_command(*command, '--cfg-options', 'compile.backend=eager')[0] == 0
    assert call_command(*command, '--resume', '--cfg-options', 'max_iters=13')[0] == 0
    saved = Config.fromfile(out / 'toy.py')
    assert saved.optim_wrapper.dtype == 'bfloat16' and saved.resume == 'auto'
    assert call_command('train', config, '--work-dir', tmp_path / 'b', '--resume', out / 'iter_13.pth',
                     '--cfg-options', 'max_iters=14')[0] == 0
    assert load_checkpoint(tmp_path / 'b' / 'iter_14.pth')['meta']['iter'] == 14


def test_the_work_dir_is_named_after_the_config(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call_command('train', config, '--cfg-options', 'max_iters=1')[0] == 0
    assert (tmp_path / 'work_dirs' / 'toy' / 'iter_1.pth').is_file()


@pytest.mark.parametrize('arguments, sentence', [
    (['--cfg-options', 'data_rot=/x'], r"has no top-level key 'data_rot'; did you mean 'data_root'"),
    (['--cfg-options', 'model.type=ToyModl'], r"'ToyModl' \(at model\) is not a type .* did you mean 'ToyModel'"),
    (['--cfg-options', 'model.widht=3'], r"ToyModel \(at model\) takes no argument 'widht'; did you mean 'width'"),
    (['--cfg-options', 'train_dataloader.dataset.folder=EMPTY'], r'the folder .* holds no videos'),
    (['--resume', 'missing.pth'], r'the checkpoint missing\.pth does not exist'),
    (['--cfg-options', 'load_from=missing.pth'], r'the checkpoint missing\.pth does not exist'),
    (['--launcher', 'pytorch'], r'--launcher pytorch needs RANK in the environment'),
    (['--amp', '--cfg-options', 'optim_wrapper.type=ApexOptimWrapper'], r"--amp cannot be combined")])
def test_mistakes_are_one_sentence_and_status_2(config, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.delenv('RANK', raising=False)
    (tmp_path / 'empty').mkdir()
    arguments = [argument.replace('EMPTY', str(tmp_path / 'empty')) for argument in arguments]
    status, said = call_command('train', config, '--work-dir', tmp_path / 'out', *arguments)
    assert status == 2
    errors = [line for line in said.splitlines() if line.startswith('error: ')]
    assert len(errors) == 1 and re.search(sentence, errors[0]), said
    assert 'Traceback' not in said


def test_a_missing_config_and_a_malformed_option(config):
    assert 'error: the config none.py does not exist' in call_command('train', 'none.py')[1]
    status, said = call_command('train', config, '--cfg-options', 'max_iters')
    assert status == 2 and "'max_iters' is not of the form key=value" in said


def test_the_scripts_work_from_anywhere_and_a_stop_signal_gives_143(config, tmp_path, monkeypatch):
    """The real thing, outside the repository: started in a process of its own, stopped, tested."""
    text = config.read_text() + (
        "custom_hooks = [dict(type='RecordHook', signal_after=5, number=15)]\n"
        "custom_imports = dict(imports=['engine.toys'])\n"
        'test_dataloader, test_cfg, test_evaluator = val_dataloader, val_cfg, val_evaluator\n')
    config.write_text(text)
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "tests"}', 'OMP_NUM_THREADS': '1'}

    command = [sys.executable, str(ROOT / 'tools' / 'train.py'), str(config), '--work-dir', 'out', '--cfg-options',
               'log_level=INFO']
    stopped = subprocess.run(command, text=True, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert stopped.returncode == 143, stopped.stderr
    assert 'stopped by SIGTERM after iteration 5 of 12; continue with --resume' in stopped.stdout + stopped.stderr
    monkeypatch.chdir(tmp_path)
    status, said = call_tool('test', config, 'out/iter_5.pth', '--out', 'results/metrics.json')
    assert status == 0, said
    assert json.loads((tmp_path / 'results' / 'metrics.json').read_text())['toy/error'] > 0
    assert torch.load(tmp_path / 'out' / 'iter_5.pth', weights_only=True)['meta']['iter'] == 5


@pytest.mark.parametrize('form', ['out', 'out/toy.py', 'out/iter_12.pth', 'moved'])
def test_a_work_dir_and_its_files_stand_for_their_config(config, tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    assert call_command('train', config, '--work-dir', 'out')[0] == 0
    if form == 'moved':
        (tmp_path / 'out').rename(tmp_path / 'moved')
    config.unlink()
    status, text = call_command('train', form, '--resume', '--cfg-options', 'max_iters=20', 'log_level=INFO')
    assert status == 0, text
    assert '[16/20]' in text and ' 4/20]' not in text
    assert (tmp_path / form.split('/')[0] / 'iter_20.pth').is_file()


def test_trackers_are_added_to_the_visualizer(config, tmp_path):
    pytest.importorskip('tensorboard')
    status, text = call_command('train', config, '--work-dir', tmp_path / 'out', '--report-to', 'tensorboard',
                                '--cfg-options', 'max_iters=2')
    assert status == 0, text
    assert list((tmp_path / 'out').glob('*/vis_data/events.out.tfevents.*'))
    assert list((tmp_path / 'out').glob('*/vis_data/scalars.json'))
    saved = load_config(tmp_path / 'out' / 'toy.py')
    assert [backend['type'] for backend in saved.visualizer.vis_backends] == [
        'LocalVisBackend', 'TensorboardVisBackend']


def test_weights_and_biases_gets_losses_by_iteration(config, tmp_path, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    status, text = call_command('train', config, '--work-dir', tmp_path / 'out', '--report-to', 'wandb',
                                '--cfg-options', 'max_iters=3',
                                'default_hooks.logger=dict(type=LoggerHook,interval=1)')
    assert status == 0, text
    file = next((tmp_path / 'out').glob('*/vis_data/wandb/offline-run-*/*.wandb'))
    losses, deadline = {}, time.monotonic() + 60
    while len(losses) < 3 and time.monotonic() < deadline:  # another process writes the file
        time.sleep(0.1)
        records = wandb_records(file)
        losses = {row['iter']: row['loss'] for row in records['history'] if 'loss' in row}
    logged = [json.loads(line) for path in (tmp_path / 'out').glob('*/vis_data/scalars.json')
              for line in path.read_text().splitlines()]
    assert losses == {row['iter']: pytest.approx(row['loss']) for row in logged if 'loss' in row} and set(losses)
    assert dict(name='*', step_metric='iter') in records['metric']


def wandb_records(path):
    """History rows and metric definitions of a run's file: blocks of 32 KiB of records, as in LevelDB's logs."""
    from wandb.proto import wandb_internal_pb2
    data, position, content, found = path.read_bytes(), 7, b'', dict(history=[], metric=[])
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:  # the end of a block is left empty
            position += 32768 - position % 32768
            continue
        _, length, kind = struct.unpack('<IHB', data[position:position + 7])
        content += data[position + 7:position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            record, content = wandb_internal_pb2.Record.FromString(content), b''
            if record.WhichOneof('record_type') == 'history':
                found['history'].append({item.key or '.'.join(item.nested_key): json.loads(item.value_json)
                                         for item in record.history.item})
            elif record.WhichOneof('record_type') == 'metric':
                found['metric'].append(dict(name=record.metric.glob_name or record.metric.name,
                                            step_metric=record.metric.step_metric))
    return found


def test_a_tracker_that_is_not_installed_is_named(config, tmp_path, monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    status, text = call_command('train', config, '--work-dir', tmp_path / 'out', '--report-to', 'wandb')
    assert status == 2 and "--report-to wandb needs the package wandb; pip install 'leokit[wandb]'" in text


def test_the_visualizer_can_be_set_by_an_option(config, tmp_path):
    status, text = call_command(
        'train', config, '--work-dir', tmp_path / 'out', '--cfg-options', 'max_iters=1',
        'visualizer=dict(type=Visualizer,vis_backends=[dict(type=LocalVisBackend)])')
    assert status == 0, text
