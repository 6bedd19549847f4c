"""Threads of PyTorch that sleep while they wait for each other, instead of spinning.

OpenMP's threads spin at the end of every parallel operation, which is fastest on an idle machine. Where another process
has the cores, a thread spins until the operating system gives a core to the one it waits for, thousands of times in a
training step.
"""

import os

POLICY = 'OMP_WAIT_POLICY'
CHOICES = (POLICY, 'GOMP_SPINCOUNT', 'KMP_BLOCKTIME')  # variables with which a user chooses


def wait_passively() -> None:
    """Set ``OMP_WAIT_POLICY=PASSIVE`` for this process and its children, unless the environment chooses.

    OpenMP reads it when it is loaded: call this before torch is imported.
    """
    if not any(name in os.environ for name in CHOICES):
        os.environ[POLICY] = 'PASSIVE'
