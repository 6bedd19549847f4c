"""The environment of a training, for its log: the same entries as MMEngine's ``collect_env``.

MMEngine imports torchvision for its version, and with it the compiler of PyTorch: two seconds in which nothing else
happens. Here versions are read from the metadata of the packages, and compilers are asked while the rest is collected.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections import defaultdict
from importlib import metadata
from pathlib import Path

import mmengine
import numpy as np
import torch

PACKAGES = dict(TorchVision='torchvision')  # others are imported by every training
DEFAULT_CUDA_HOME = Path('/usr/local/cuda')
MISSING = 'not available'
TIMEOUT_SECONDS = 10


def collect_environment() -> dict[str, str]:
    """Names and values: system, devices, compilers and versions."""
    import cv2

    compiler = sysconfig.get_config_var('CC')
    commands = dict(GCC=[compiler.split()[0], '--version']) if compiler else {}
    cuda, home = torch.cuda.is_available(), _cuda_home()
    if cuda and home is not None:
        commands['NVCC'] = [str(home / 'bin' / 'nvcc'), '-V']
    running = {name: _start(command) for name, command in commands.items()}
    entries = {'sys.platform': sys.platform, 'Python': sys.version.replace('\n', ''), 'CUDA available': str(cuda),
               'numpy_random_seed': str(np.random.get_state()[1][0])}
    if cuda:
        devices = defaultdict(list)
        for index in range(torch.cuda.device_count()):
            devices[torch.cuda.get_device_name(index)].append(str(index))
        entries |= {f'GPU {",".join(indices)}': name for name, indices in devices.items()}
        entries['CUDA_HOME'] = str(home)
    versions = {'PyTorch': str(torch.__version__), 'PyTorch compiling details': torch.__config__.show()}
    versions |= {name: _version(package) for name, package in PACKAGES.items()}
    versions |= {'OpenCV': cv2.__version__, 'MMEngine': mmengine.__version__}
    # nvcc names its release in the last lines but one, compilers in the first
    found = {name: _line(process, 'release' if name == 'NVCC' else '') for name, process in running.items()}
    return entries | found | versions


def _cuda_home() -> Path | None:
    """The CUDA toolkit, found as PyTorch's extensions find it."""
    named, nvcc = os.environ.get('CUDA_HOME') or os.environ.get('CUDA_PATH'), shutil.which('nvcc')
    home = Path(named) if named else Path(nvcc).parents[1] if nvcc else DEFAULT_CUDA_HOME
    return home if home.is_dir() else None


def _start(command: list[str]) -> subprocess.Popen | None:
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def _line(process: subprocess.Popen | None, word: str) -> str:
    """The first line of what a process prints that has a word in it."""
    if process is None:
        return MISSING
    try:
        output = process.communicate(timeout=TIMEOUT_SECONDS)[0].decode(errors='replace')
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return MISSING
    return next((line.strip() for line in output.splitlines() if line.strip() and word in line), MISSING)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return MISSING
