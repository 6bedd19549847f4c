"""Process groups, on the CPU too.

MMEngine's launchers select a CUDA device whatever the backend is and fail on a machine without one. Here the same
launchers start a gloo group. Under Slurm, address and port are those of the step, so that jobs that share a node, and
steps of one job, do not meet.
"""

import datetime
import os
import re
import socket
import struct

import torch
from torch import distributed

from leokit.utils import UserError

# launcher -> environment variables with rank, local rank and world size
VARIABLES = dict(
    pytorch=('RANK', 'LOCAL_RANK', 'WORLD_SIZE'),
    slurm=('SLURM_PROCID', 'SLURM_LOCALID', 'SLURM_NTASKS'),
    mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_LOCAL_RANK', 'OMPI_COMM_WORLD_SIZE'))
LAUNCHERS = ('none', *VARIABLES)
DEFAULT_PORT = '29500'  # torch's
FIRST_PORT, NUM_PORTS = 20000, 12000  # below the ports that systems give to outgoing connections
PORTS_PER_STEP = 101  # tools/dist_launch.sh has the same formula
GET_ADDRESS = 0x8915  # Linux's SIOCGIFADDR


def check_launcher(launcher: str) -> None:
    """Raise UserError if the launcher is unknown or did not start this process."""
    if launcher not in LAUNCHERS:
        raise UserError(f'the launcher {launcher!r} is unknown; it is one of {", ".join(LAUNCHERS)}')
    missing = [name for name in VARIABLES.get(launcher, ()) if name not in os.environ]
    if missing:
        raise UserError(f'--launcher {launcher} needs {missing[0]} in the environment, which is not set; start '
                        f'through tools/dist_train.sh or tools/slurm_train.sh, or use --launcher none')
    if launcher == 'slurm' and _int('SLURM_NTASKS') > 1 and 'SLURM_STEP_ID' not in os.environ:
        # the shells of sbatch and salloc have the variables of rank 0, which would wait for the others
        raise UserError(f'--launcher slurm needs srun, which starts all {os.environ["SLURM_NTASKS"]} tasks; put srun '
                        'in front of the command, or use tools/slurm_train.sh')


def prepare_launch(launcher: str) -> None:
    """Set what the processes of a launcher need to find each other, where the environment does not set it."""
    if launcher == 'slurm':
        nodes = expand_hosts(os.environ.get('SLURM_STEP_NODELIST') or os.environ['SLURM_NODELIST'])
        os.environ.setdefault('MASTER_ADDR', nodes[0])
        os.environ.setdefault('MASTER_PORT', str(step_port()))
    if torch.cuda.is_available():
        _check_device(launcher)
    choose_gloo_interface(launcher)


def start_cpu_group(launcher: str, timeout: float | None = None) -> None:
    """Join a gloo process group on the CPU; collective operations fail after ``timeout`` seconds."""
    rank, local_rank, world_size = (os.environ[name] for name in VARIABLES[launcher])
    os.environ.update(RANK=rank, LOCAL_RANK=local_rank, WORLD_SIZE=world_size)
    os.environ.setdefault('MASTER_PORT', DEFAULT_PORT)
    os.environ.setdefault('MASTER_ADDR', 'localhost')
    options = {} if timeout is None else dict(timeout=datetime.timedelta(seconds=timeout))
    distributed.init_process_group('gloo', **options)


def step_port() -> int:
    """The port of a Slurm step."""
    return FIRST_PORT + (_int('SLURM_JOB_ID') + PORTS_PER_STEP * _int('SLURM_STEP_ID')) % NUM_PORTS


def expand_hosts(text: str) -> list[str]:
    """The names in a host list of Slurm: ``'a[01-02,7],b'`` -> ``['a01', 'a02', 'a7', 'b']``.

    Not by ``scontrol show hostnames``, which containers do not have.
    """
    names = []
    for item in re.findall(r'(?:\[[^]]*\]|[^,\[])+', text):
        expanded = ['']
        for part in re.findall(r'\[[^]]*\]|[^\[]+', item):
            choices = _expand_ranges(part[1:-1]) if part[0] == '[' else [part]
            expanded = [name + choice for name in expanded for choice in choices]
        names += expanded
    return names


def _expand_ranges(text: str) -> list[str]:
    numbers = []
    for item in text.split(','):
        first, _, last = item.partition('-')
        numbers += [f'{number:0{len(first)}d}' for number in range(int(first), int(last or first) + 1)]
    return numbers


def _check_device(launcher: str) -> None:
    """Check that this process has a GPU of its own; one that Slurm bound to it is number 0."""
    local_rank, count = _int(VARIABLES[launcher][1]), torch.cuda.device_count()
    if local_rank < count:
        return
    bound = any(os.environ.get(name) for name in ('SLURM_GPUS_PER_TASK', 'SLURM_TRES_PER_TASK', 'SLURM_GPU_BIND',
                                                  'SLURM_TRES_BIND', 'SLURM_STEP_GPUS_PER_TASK'))
    if launcher == 'slurm' and count == 1 and bound:
        os.environ['SLURM_LOCALID'] = '0'
        return
    raise UserError(f'process {local_rank} of this node has no GPU of its own, as only {count} are visible; start '
                    f'fewer processes, or ask for more GPUs per node')


def choose_gloo_interface(launcher: str) -> None:
    """Set ``GLOO_SOCKET_IFNAME`` on a host whose name is mapped to 127.0.0.1 or, as Debian does, to 127.0.1.1.

    gloo tells the other ranks the address that the host's name is mapped to, which they cannot reach from other hosts.
    """
    if 'GLOO_SOCKET_IFNAME' in os.environ or not _spans_hosts(launcher) or not _is_loopback(socket.gethostname()):
        return
    nodes = expand_hosts(os.environ.get('SLURM_STEP_NODELIST', ''))
    for host in (os.environ.get('MASTER_ADDR', ''), *reversed(nodes), '192.0.2.1'):  # the last: by the default route
        if host and not _is_loopback(host):
            name = _interface_to(host)
            if name is not None:
                os.environ['GLOO_SOCKET_IFNAME'] = name
                return


def _spans_hosts(launcher: str) -> bool:
    if launcher == 'slurm':
        return _int('SLURM_STEP_NUM_NODES', 1) > 1
    world = _int(VARIABLES[launcher][2], 1)
    local = os.environ.get('LOCAL_WORLD_SIZE', os.environ.get('OMPI_COMM_WORLD_LOCAL_SIZE'))
    return local is not None and int(local) < world


def _is_loopback(host: str) -> bool:
    try:
        return socket.gethostbyname(host).startswith('127.')
    except OSError:
        return True  # as useless


def _interface_to(host: str) -> str | None:
    """The network interface through which a host is reached, by its IPv4 address; None if it cannot be found."""
    try:
        import fcntl  # Unix only
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))  # of a datagram socket: chooses the route, sends nothing
            own = probe.getsockname()[0]
            for _, name in socket.if_nameindex():
                try:
                    answer = fcntl.ioctl(probe.fileno(), GET_ADDRESS, struct.pack('256s', name.encode()[:15]))
                except OSError:  # an interface without an IPv4 address
                    continue
                if socket.inet_ntoa(answer[20:24]) == own:
                    return name
    except (ImportError, OSError):
        pass
    return None


def _int(name: str, default: int = 0) -> int:
    text = os.environ.get(name, '')
    return int(text) if text.isdecimal() else default


def leave_process_group() -> None:
    """Leave the process group, if there is one, once all ranks are done; torch warns otherwise."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
