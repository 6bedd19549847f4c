import signal
import socket

import pytest
import torch
from engine.toys import start_process, toy_config, train, train_in_process

from leokit.engine import EXIT_STATUS
from leokit.engine.distributed import check_launcher
from leokit.utils import UserError
from leokit.utils.checkpoints import load_checkpoint

WORLD = 2


def config(work_dir, batch_size, **changes):
    """A config without dropout, whose noise differs between ranks."""
    made = toy_config(
        work_dir, model=dict(type='ToyModel', dropout=0.0),
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
    norms = load_checkpoint(folder / 'iter_12.pth')['message_hub']['log_scalars']['train/grad_norm']['values']
    torch.testing.assert_close(norms, load_checkpoint(tmp_path / 'iter_12.pth')['message_hub']['log_scalars'][
        'train/grad_norm']['values'], rtol=1e-5, atol=1e-7)


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
