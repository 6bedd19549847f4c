"""Whether kernels written in Triton can run."""

import os
import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path

IS_INSTALLED = find_spec('triton') is not None

def triton_obstacle() -> str | None:
    """Why kernels written in Triton cannot run, a clause; None if they can.

    Triton compiles a small C program for every kernel, except in its interpreter. Images of containers often have
    neither a compiler nor the headers of Python (``python3-dev``).
    """
    if not IS_INSTALLED:
        return 'Triton is not installed'
    if os.environ.get('TRITON_INTERPRET') == '1':
        return None
    if not (os.environ.get('CC') or shutil.which('gcc') or shutil.which('clang')):
        return 'Triton needs a C compiler: install gcc, or set CC'
    scheme = sysconfig.get_default_scheme()
    include = sysconfig.get_paths('posix_prefix' if scheme == 'posix_local' else scheme)['include']  # as Triton does
    if not Path(include, 'Python.h').exists():
        return f'Triton needs the headers of Python, {include}/Python.h: install python3-dev'
    return None


HAS_TRITON = triton_obstacle() is None
