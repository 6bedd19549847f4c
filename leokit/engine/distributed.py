"""Process groups, on the CPU too.

MMEngine's launchers select a CUDA device whatever the backend is and fail on a machine without one. Here the same
launchers start a gloo group.
"""

import datetime
import os
import subprocess

from torch import distributed

from leokit.utils import UserError

# launcher -> environment variables with rank, local rank and world size
VARIABLES = dict(
    pytorch=('RANK', 'LOCAL_RANK', 'WORLD_SIZE'),
    slurm=('SLURM_PROCID', 'SLURM_LOCALID', 'SLURM_NTASKS'),
    mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK', 'OMPI_COMM_WORLD_SIZE'))
LAUNCHERS = ('none', *VARIABLES)
DEFAULT_PORT = '29500'  # torch's


def check_launcher(launcher: str) -> None:
    """Raise UserError if the launcher is unknown or did not start this process."""
    if launcher not in LAUNCHERS:
        raise UserError(f'the launcher {launcher!r} is unknown; it is one of {", ".join(LAUNCHERS)}')
    missing = [name for name in VARIABLES.get(launcher, ()) if name not in os.environ]
    if missing:
        raise UserError(f'--launcher {launcher} needs {missing[0]} in the environment, which is not set; start '
                        f'through tools/dist_train.sh or tools/slurm_train.sh, or use --launcher none')


def start_cpu_group(launcher: str, timeout: float | None = None) -> None:
    """Join a gloo process group on the CPU; collective operations fail after ``timeout`` seconds."""
    rank, local_rank, world_size = (os.environ[name] for name in VARIABLES[launcher])
    os.environ.update(RANK=rank, LOCAL_RANK=local_rank, WORLD_SIZE=world_size)
    os.environ.setdefault('MASTER_PORT', DEFAULT_PORT)
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = _first_slurm_node() if launcher == 'slurm' else 'localhost'
    options = {} if timeout is None else dict(timeout=datetime.timedelta(seconds=timeout))
    distributed.init_process_group('gloo', **options)


def _first_slurm_node() -> str:
    nodes = subprocess.run(['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']], check=True,
                           capture_output=True, text=True)
    return nodes.stdout.split()[0]


def leave_process_group() -> None:
    """Leave the process group, if there is one, once all ranks are done; torch warns otherwise."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
