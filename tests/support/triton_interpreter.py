"""Triton kernels on a machine without a GPU."""

import os
import subprocess
import sys


def run_interpreted(file: str) -> None:
    """Run a test file as a program with Triton's interpreter, which must be chosen before kernels are imported."""
    environment = {**os.environ, 'TRITON_INTERPRET': '1', 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run([sys.executable, file], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
