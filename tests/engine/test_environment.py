import sys

import cv2
import mmengine
import torch
import torchvision
from engine.toys import toy_config
from mmengine.utils.dl_utils import collect_env

from leokit.engine import LeoRunner, environment
from leokit.engine.environment import collect_environment


def test_the_entries_are_mmengines():
    found, expected = collect_environment(), collect_env()
    expected = {name: str(value) for name, value in expected.items() if name != 'MUSA available'}
    expected['TorchVision'] = torchvision.__version__.partition('+')[0]  # the metadata do not name the CUDA version
    assert found == expected
    assert found['OpenCV'] == cv2.__version__
    assert found['PyTorch'] == torch.__version__ and found['MMEngine'] == mmengine.__version__


def test_gpus_and_their_compiler(monkeypatch, tmp_path):
    """Three devices of two kinds, and the lines that nvcc 12.4 prints."""
    nvcc = tmp_path / 'bin' / 'nvcc'
    nvcc.parent.mkdir()
    nvcc.write_text(f'#!{sys.executable}\nprint("nvcc: NVIDIA (R) Cuda compiler driver\\n'
                    'Cuda compilation tools, release 12.4, V12.4.131\\nBuild cuda_12.4.r12.4/compiler")\n')
    nvcc.chmod(0o755)
    monkeypatch.setenv('CUDA_HOME', str(tmp_path))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 3)
    monkeypatch.setattr(torch.cuda, 'get_device_name', ['A', 'B', 'A'].__getitem__)
    found = collect_environment()
    assert found['GPU 0,2'] == 'A' and found['GPU 1'] == 'B'
    assert found['CUDA_HOME'] == str(tmp_path)
    assert found['NVCC'] == 'Cuda compilation tools, release 12.4, V12.4.131'


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, 'PACKAGES', dict(TorchVision='no_such_package'))
    monkeypatch.setattr(environment.sysconfig, 'get_config_var', lambda name: str(tmp_path / 'no_compiler'))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 0)
    monkeypatch.setenv('CUDA_HOME', str(tmp_path / 'none'))
    found = collect_environment()
    assert found['TorchVision'] == found['GCC'] == 'not available'
    assert found['CUDA_HOME'] == 'None' and 'NVCC' not in found


def test_a_compiler_that_does_not_answer_is_stopped(monkeypatch, tmp_path):
    compiler = tmp_path / 'cc'
    compiler.write_text('#!/bin/sh\nexec sleep 100\n')
    compiler.chmod(0o755)
    monkeypatch.setattr(environment.sysconfig, 'get_config_var', lambda name: f'{compiler} -pthread')
    monkeypatch.setattr(environment, 'TIMEOUT_SECONDS', 0.1)
    started = []
    start = environment._start
    monkeypatch.setattr(environment, '_start', lambda command: started.append(start(command)) or started[-1])
    assert collect_environment()['GCC'] == 'not available'
    assert [process.returncode for process in started] == [-9]


def test_the_log_of_a_run_has_environment_seed_and_config(tmp_path):
    runner = LeoRunner.from_cfg(toy_config(tmp_path, log_level='INFO'))
    text = next(tmp_path.glob('*/*.log')).read_text()
    for entry in (f'PyTorch: {torch.__version__}', 'seed: 3', 'GPU number: 1', 'Distributed launcher: none'):
        assert f'\n    {entry}\n' in text
    assert runner.cfg.pretty_text in text
