"""A real Slurm of several nodes on one machine, for slow tests.

Every node is a network and UTS namespace with its own host name, address, hosts file and slurmd; slurmctld and munged
run on the host. All files are in one folder, all traffic stays on a bridge. Nothing outside is changed but network
devices, which are removed at the end.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAMS = ('slurmctld', 'slurmd', 'munged', 'sbatch', 'ip', 'nsenter', 'unshare')
PORT = 16817  # other than Slurm's own, so that an installed one is left alone
PREFIX = 'lkt'  # of the names of nodes and network devices

CONFIG = '''
ClusterName=leokit
SlurmctldHost={host}({net}.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool_%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd_%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd_%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=bf_interval=5,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
{nodes}
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
'''


def reason_to_skip() -> str | None:
    """Why no cluster can be built here; None if one can."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=search_path()) is None]
    if missing:
        return f'{", ".join(missing)} not installed (on Debian: slurm-wlm, munge, iproute2)'
    if not sys.platform.startswith('linux') or os.geteuid() != 0:
        return 'a cluster of network namespaces needs root on Linux'
    if subprocess.run(['ip', 'netns', 'add', f'{PREFIX}probe'], capture_output=True, check=False).returncode:
        return 'network namespaces are not allowed here'
    subprocess.run(['ip', 'netns', 'del', f'{PREFIX}probe'], check=True)
    return None


def search_path() -> str:
    """The programs of administrators are not on everybody's path."""
    return f'{os.environ["PATH"]}:/usr/sbin:/sbin'


class SlurmCluster:
    """Context manager; ``run`` starts a command with the cluster's configuration.

    Args:
        nodes (int): Number of nodes.
        cpus (int): CPUs per node as Slurm counts them; more than the machine has is allowed.
    """

    def __init__(self, nodes: int = 3, cpus: int = 4) -> None:
        self.names = [f'{PREFIX}{number}' for number in range(1, nodes + 1)]
        self.cpus = cpus
        self.net = f'10.{70 + os.getpid() % 100}.{os.getpid() // 100 % 250}'
        self.bridge = f'{PREFIX}bridge'
        self.folder = Path(tempfile.mkdtemp(prefix='slurm', dir='/tmp'))  # short, as sockets are in it

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of its users."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(('SLURM', 'SBATCH'))}
        return {**clean, 'SLURM_CONF': str(self.folder / 'slurm.conf'), 'PATH': search_path()}

    def run(self, *command: object, check: bool = True, **options: object) -> str:
        """Run a command and return its output."""
        done = subprocess.run([str(part) for part in command], env={**self.environment, **options.pop('env', {})},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
        assert done.returncode == 0 or not check, f'{command}: {done.stdout}'
        return done.stdout

    def __enter__(self) -> 'SlurmCluster':
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self) -> None:
        for name in ('state', 'munge', *(f'spool_{node}' for node in self.names)):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        key = self.folder / 'munge' / 'key'
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(1024))
        addresses = {name: f'{self.net}.{number + 11}' for number, name in enumerate(self.names)}
        nodes = '\n'.join(f'NodeName={name} NodeAddr={address} CPUs={self.cpus} State=UNKNOWN'
                          for name, address in addresses.items())
        (self.folder / 'slurm.conf').write_text(CONFIG.format(
            host=socket.gethostname().split('.')[0], net=self.net, port=PORT, folder=self.folder, nodes=nodes))
        (self.folder / 'cgroup.conf').write_text('CgroupPlugin=cgroup/v1\n')  # autodetection fails in containers
        self.run('ip', 'link', 'add', self.bridge, 'type', 'bridge')
        self.run('ip', 'addr', 'add', f'{self.net}.1/24', 'dev', self.bridge)
        self.run('ip', 'link', 'set', self.bridge, 'up')
        munge = self.folder / 'munge'
        self.run('munged', '--force', f'--key-file={key}', f'--socket={munge}/socket', f'--pid-file={munge}/pid',
                 f'--log-file={munge}/log', f'--seed-file={munge}/seed')
        self.run('slurmctld', '-c', '-f', self.folder / 'slurm.conf', stdin=subprocess.DEVNULL)
        for name, address in addresses.items():
            self._start_node(name, address, addresses)
        deadline = time.monotonic() + 60
        while self.run('sinfo', '-h', '-t', 'idle', '-o', '%D').strip() != str(len(self.names)):
            assert time.monotonic() < deadline, self.run('sinfo', '-N', '-l')
            time.sleep(0.5)

    def _start_node(self, name: str, address: str, addresses: dict[str, str]) -> None:
        device = f'{name}veth'
        self.run('ip', 'netns', 'add', name)
        self.run('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
        self.run('ip', 'link', 'set', device, 'master', self.bridge, 'up')
        self.run('ip', '-n', name, 'addr', 'add', f'{address}/24', 'dev', 'eth0')
        for link in ('eth0', 'lo'):
            self.run('ip', '-n', name, 'link', 'set', link, 'up')
        # as on Debian, a host's own name is mapped to 127.0.1.1
        hosts = [f'127.0.1.1 {name}', *(f'{other} {host}' for host, other in addresses.items() if host != name)]
        controller = f'{self.net}.1 {socket.gethostname().split(".")[0]}'
        file = self.folder / f'hosts_{name}'
        file.write_text('\n'.join(['127.0.0.1 localhost', controller, *hosts]) + '\n')
        # "ip netns exec" would mount a /sys without cgroups, which slurmd looks for
        script = 'hostname "$0"; mount --bind "$1" /etc/hosts; exec slurmd -f "$2"'
        self.run('nsenter', f'--net=/run/netns/{name}', 'unshare', '--uts', '--mount', 'bash', '-c', script, name, file,
                 self.folder / 'slurm.conf', stdin=subprocess.DEVNULL)

    def job(self, number: str) -> dict[str, str]:
        """What Slurm knows about a job."""
        words = self.run('scontrol', 'show', 'job', '-o', number).split()
        return dict(word.split('=', 1) for word in words if '=' in word)

    def wait(self, number: str, seconds: float = 240) -> dict[str, str]:
        """Wait for the end of a job, through all its restarts."""
        deadline = time.monotonic() + seconds
        while (job := self.job(number))['JobState'] in ('PENDING', 'RUNNING', 'CONFIGURING', 'COMPLETING', 'REQUEUED'):
            assert time.monotonic() < deadline, job
            time.sleep(0.5)
        return job

    def __exit__(self, *exception: object) -> None:
        if (self.folder / 'slurmctld.pid').exists():
            self.run('scancel', '--user=root', check=False, timeout=20)
            deadline = time.monotonic() + 20
            while self.run('squeue', '-h', check=False) and time.monotonic() < deadline:
                time.sleep(0.5)
        for file in (*self.folder.glob('slurmd_*.pid'), self.folder / 'slurmctld.pid', self.folder / 'munge' / 'pid'):
            _terminate(file)
        for name in self.names:
            for process in self.run('ip', 'netns', 'pids', name, check=False).split():
                if process.isdecimal():  # a task that outlived its node
                    subprocess.run(['kill', '-9', process], check=False, capture_output=True)
            self.run('ip', 'netns', 'del', name, check=False)
        self.run('ip', 'link', 'del', self.bridge, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def _terminate(pid_file: Path) -> None:
    try:
        process = int(pid_file.read_text())
        os.kill(process, 15)
        for _ in range(100):
            os.kill(process, 0)
            time.sleep(0.1)
        os.kill(process, 9)
    except (OSError, ValueError):  # it has ended, or never started
        pass
