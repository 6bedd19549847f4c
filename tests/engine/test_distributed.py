import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import torch
from engine.toys import toy_config, train, train_in_process
from support.processes import start_process

from leokit.engine import EXIT_STATUS
from leokit.engine.distributed import (
    _interface_to, check_launcher, choose_gloo_interface, expand_hosts, prepare_launch)
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint

WORLD = 2


def config(work_dir, batch_size, **changes):
    made = toy_config(
        work_dir, model=dict(type='ToyModel', dropout=0.3),
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype='float32', clip_grad=dict(max_norm=0.3),
                           optimizer=dict(type='SGD', lr=0.2, momentum=0.9)), **changes)
    made.train_dataloader.batch_size = batch_size
    return made


def train_ranks(work_dir, **changes):
    """Train on two ranks; returns their exit statuses and final states."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = str(probe.getsockname()[1])
    text = config(work_dir, 4, launcher='pytorch', **changes).pretty_text
    files = [work_dir / f'rank_{rank}.pt' for rank in range(WORLD)]
    processes = [
        start_process(train_in_process, text, dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(WORLD),
                                                   MASTER_ADDR='127.0.0.1', MASTER_PORT=port), str(file))
        for rank, file in enumerate(files)]
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes], [torch.load(file, weights_only=True) for file in files]


@pytest.fixture(scope='module')
def two_ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ranks')
    statuses, ends = train_ranks(folder)
    assert statuses == [0, 0]
    return folder, ends


def test_two_ranks_train_like_one_process_with_the_doubled_batch(tmp_path, two_ranks):
    folder, ends = two_ranks
    single = train(config(tmp_path, 8))
    loaded = single.train_dataloader.dataset.loaded
    assert loaded == sorted(ends[0]['loaded'] + ends[1]['loaded']) and not set(ends[0]['loaded']) & set(
        ends[1]['loaded'])
    for key, weight in single.model.state_dict().items():
        assert torch.equal(ends[0]['state_dict'][key], ends[1]['state_dict'][key])
        torch.testing.assert_close(ends[0]['state_dict'][key], weight, rtol=1e-5, atol=1e-6)
    ranks, one = (load_checkpoint(path / 'iter_12.pth')['message_hub']['log_scalars'] for path in (folder, tmp_path))
    for scalar in ('train/grad_norm', 'train/loss', 'train/loss_other'):  # losses: the mean of both ranks
        torch.testing.assert_close(ranks[scalar]['values'], one[scalar]['values'], rtol=1e-5, atol=1e-7)


def test_a_signal_to_one_rank_stops_both_at_the_same_iteration(tmp_path, two_ranks):
    hook = dict(type='RecordHook', signal_after=3, number=int(signal.SIGTERM), rank=1)
    statuses, ends = train_ranks(tmp_path, custom_hooks=[hook])
    assert statuses == [EXIT_STATUS] * WORLD
    assert ends[0]['iter'] == ends[1]['iter'] < 8
    assert (tmp_path / 'last_checkpoint').read_text() == f'iter_{ends[0]["iter"]}.pth'
    statuses, ends = train_ranks(tmp_path, resume='auto')
    assert statuses == [0, 0]
    assert all(torch.equal(weight, two_ranks[1][0]['state_dict'][key])
               for key, weight in ends[0]['state_dict'].items())


def test_a_launcher_without_its_environment_is_an_error(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    check_launcher('none')
    with pytest.raises(UserError, match='--launcher pytorch needs RANK in the environment'):
        check_launcher('pytorch')
    with pytest.raises(UserError, match="'ray' is unknown; it is one of none, pytorch, slurm, mpi"):
        check_launcher('ray')


def test_the_launcher_slurm_needs_srun(monkeypatch):
    """The shells of sbatch and salloc have the variables of rank 0 of a step, except for the step's number."""
    for name, value in dict(SLURM_PROCID=0, SLURM_LOCALID=0, SLURM_NTASKS=4).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv('SLURM_STEP_ID', raising=False)
    with pytest.raises(UserError, match='--launcher slurm needs srun, which starts all 4 tasks'):
        check_launcher('slurm')
    monkeypatch.setenv('SLURM_STEP_ID', '0')
    check_launcher('slurm')


@pytest.mark.parametrize('text, hosts', [
    ('n1', ['n1']), ('n[1-3]', ['n1', 'n2', 'n3']), ('gpu[008-010,12],b', ['gpu008', 'gpu009', 'gpu010', 'gpu12', 'b']),
    ('r[1-2]n[0-1].x', ['r1n0.x', 'r1n1.x', 'r2n0.x', 'r2n1.x']), ('a,b-3', ['a', 'b-3']), ('', [])])
def test_host_lists_are_expanded_as_scontrol_does(text, hosts):
    assert expand_hosts(text) == hosts


def test_address_and_port_are_those_of_the_step(monkeypatch):
    for name in ('MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, 'x')  # restored after the test
        monkeypatch.delenv(name)
    for name, value in dict(SLURM_NODELIST='n[1-3]', SLURM_STEP_NODELIST='n[2-3]', SLURM_JOB_ID=20007, SLURM_STEP_ID=3,
                            SLURM_STEP_NUM_NODES=1, SLURM_LOCALID=0).items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    prepare_launch('slurm')
    assert os.environ['MASTER_ADDR'] == 'n2' and os.environ['MASTER_PORT'] == str(20000 + 8007 + 303)
    monkeypatch.setenv('MASTER_ADDR', 'given')
    prepare_launch('slurm')
    assert os.environ['MASTER_ADDR'] == 'given'


def test_every_process_needs_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    for name in ('SLURM_GPUS_PER_TASK', 'SLURM_TRES_PER_TASK', 'SLURM_GPU_BIND', 'SLURM_TRES_BIND'):
        monkeypatch.delenv(name, raising=False)
    for name, value in dict(SLURM_STEP_NODELIST='n1', SLURM_LOCALID=1, LOCAL_RANK=1).items():
        monkeypatch.setenv(name, str(value))
    for launcher in ('pytorch', 'slurm'):
        with pytest.raises(UserError, match='process 1 of this node has no GPU of its own, as only 1 are visible'):
            prepare_launch(launcher)
    monkeypatch.setenv('SLURM_GPUS_PER_TASK', '1')  # each task sees its own GPU, as number 0
    prepare_launch('slurm')
    assert os.environ['SLURM_LOCALID'] == '0'


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='interfaces are found on Linux')
def test_gloo_gets_an_interface_where_the_host_has_a_loopback_name_only(monkeypatch):
    """As on Debian, which maps a host's name to 127.0.1.1."""
    addresses = {socket.gethostname(): '127.0.1.1', 'n1': '127.0.1.1', 'n2': '127.0.0.1', 'n3': '192.0.2.7'}
    monkeypatch.setattr(socket, 'gethostbyname', lambda host: addresses[host])
    asked = []
    monkeypatch.setattr('leokit.engine.distributed._interface_to', lambda host: asked.append(host) or 'eth7')
    monkeypatch.setenv('GLOO_SOCKET_IFNAME', 'x')  # restored after the test
    monkeypatch.delenv('GLOO_SOCKET_IFNAME')
    for name, value in dict(MASTER_ADDR='n1', SLURM_STEP_NODELIST='n[1-3]', SLURM_STEP_NUM_NODES=3).items():
        monkeypatch.setenv(name, str(value))
    choose_gloo_interface('slurm')
    assert os.environ['GLOO_SOCKET_IFNAME'] == 'eth7' and asked == ['n3']
    choose_gloo_interface('slurm')  # the user's is kept
    monkeypatch.delenv('GLOO_SOCKET_IFNAME')
    monkeypatch.setenv('SLURM_STEP_NUM_NODES', '1')
    choose_gloo_interface('slurm')
    assert 'GLOO_SOCKET_IFNAME' not in os.environ and len(asked) == 1
    addresses[socket.gethostname()] = '192.0.2.1'
    monkeypatch.setenv('SLURM_STEP_NUM_NODES', '3')
    choose_gloo_interface('slurm')
    assert 'GLOO_SOCKET_IFNAME' not in os.environ


@pytest.mark.skipif(not Path('/sys/class/net/lo').exists(), reason='there is no interface lo')
def test_an_interface_is_found_by_its_address():
    assert _interface_to('127.0.0.1') == 'lo'
